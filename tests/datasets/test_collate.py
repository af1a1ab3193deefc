from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mart_mm.datasets.collate import affective_collate
from mart_mm.structures.affective_data_sample import AffectiveDataSample


class _Samples(Dataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> dict:
        rng = np.random.default_rng(index)
        imgs = torch.from_numpy(rng.integers(0, 255, (2, 3, 4, 5, 6), dtype=np.uint8))
        inputs = dict(
            imgs=imgs,
            turned=imgs.permute(0, 2, 1, 4, 3),
            cues=dict(valid=torch.from_numpy(rng.random((2, 3)) < 0.5), none=torch.zeros(2, 0)),
            present=dict(text=index % 2 == 0),
        )
        sample = AffectiveDataSample(metainfo=dict(failures=[]))
        return dict(inputs=inputs, data_samples=sample)


def _expected(indices: list[int]) -> dict:
    rows = [_Samples()[index]['inputs'] for index in indices]
    return dict(
        imgs=np.stack([row['imgs'].numpy() for row in rows]),
        turned=np.stack([row['turned'].numpy() for row in rows]),
        valid=np.stack([row['cues']['valid'].numpy() for row in rows]),
    )


def test_in_this_process_and_in_workers():
    for workers in (0, 1):
        loader = DataLoader(_Samples(), 3, num_workers=workers, collate_fn=affective_collate)
        for batch, indices in zip(loader, ([0, 1, 2], [3, 4]), strict=True):
            inputs, expected = batch['inputs'], _expected(indices)
            np.testing.assert_array_equal(inputs['imgs'], expected['imgs'])
            np.testing.assert_array_equal(inputs['turned'], expected['turned'])
            np.testing.assert_array_equal(inputs['cues']['valid'], expected['valid'])
            assert inputs['cues']['none'].shape == (len(indices), 2, 0)
            assert inputs['present']['text'].tolist() == [index % 2 == 0 for index in indices]
            assert inputs['imgs'].dtype == torch.uint8 and inputs['turned'].is_contiguous()
            assert inputs['imgs'].is_shared() == bool(workers)


def test_in_a_worker_the_batch_is_written_into_shared_memory(monkeypatch):
    monkeypatch.setattr('mart_mm.datasets.collate.get_worker_info', lambda: object())
    batch = affective_collate([_Samples()[0], _Samples()[1]])
    assert batch['inputs']['imgs'].is_shared() and batch['inputs']['cues']['valid'].is_shared()
