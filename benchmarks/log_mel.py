"""Log-mel of 45 s of sound in one thread, against transformers' feature extractor for AST.

    python benchmarks/log_mel.py

Prints the largest difference of the two beside the figure.
"""

from __future__ import annotations

import argparse
import statistics
import warnings

import harness
import numpy as np
import torch
from make_videos import SAMPLE_RATE, SECONDS, draw_sound

from mart_mm.datasets.media.log_mel_track import LogMelTrack

PEER = 'transformers ASTFeatureExtractor, NumPy'


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=int, default=SECONDS, help='of sound')
    parser.add_argument('--runs', type=int, default=9, help='counted runs of each candidate')
    parser.add_argument('--quick', action='store_true', help='3 s of sound, two runs')
    args = parser.parse_args()
    seconds, runs = (3, 2) if args.quick else (args.seconds, args.runs)

    warnings.filterwarnings('ignore', 'At least one mel filter')
    from transformers import ASTFeatureExtractor

    torch.set_num_threads(1)
    waveform = draw_sound(seconds * SAMPLE_RATE)
    count = LogMelTrack(waveform).num_frames
    extractor = ASTFeatureExtractor(do_normalize=False, max_length=count)

    def ours() -> np.ndarray:
        return LogMelTrack(waveform).rows(0, count)

    def theirs() -> np.ndarray:
        values = extractor(waveform, sampling_rate=SAMPLE_RATE, return_tensors='np')
        return values['input_values'][0]

    difference = float(np.abs(ours() - theirs()).max())
    spent = harness.alternate({'ours': ours, 'peer': theirs}, runs, 2)
    ratio = statistics.median(spent['peer']) / statistics.median(spent['ours'])
    value = statistics.median(spent['ours'])
    figures = [
        harness.Figure('log_mel/seconds', value, 's', PEER, ratio, spent['ours']),
        harness.Figure(
            'log_mel/largest_difference', difference, 'of the log', PEER, None, [difference]
        ),
    ]
    harness.show(f'Log-mel of {seconds} s of sound, one thread', figures)


if __name__ == '__main__':
    main()
