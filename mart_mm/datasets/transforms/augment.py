"""Cropping, flipping, and disturbing of frames and sound; one draw for the whole video."""

from __future__ import annotations

import cv2
import numpy as np

from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS

_CORNERS = ('center', 'top_left', 'top_right', 'bottom_left', 'bottom_right')


@TRANSFORMS.register_module()
class CropFrames(Transform):
    """Cut the largest square and scale it.

    Args:
        size: Side of the result in pixels.
        random: Draw the square among centre and corners, as the official MART code does in
            training; otherwise the centre.
    """

    def __init__(self, *, size: int, random: bool = False) -> None:
        self.size, self.random = size, random

    def transform(self, results: dict) -> dict:
        """Crop ``imgs``."""
        imgs = results['imgs']
        height, width = imgs.shape[2:4]
        side = min(height, width)
        place = _CORNERS[results['rng'].integers(len(_CORNERS))] if self.random else 'center'
        top = {'center': (height - side) // 2}.get(place, height - side if 'bottom' in place else 0)
        left = {'center': (width - side) // 2}.get(place, width - side if 'right' in place else 0)
        imgs = imgs[:, :, top : top + side, left : left + side]
        if side != self.size:
            how = cv2.INTER_AREA if side > self.size else cv2.INTER_LINEAR
            flat = imgs.reshape(-1, side, side, 3)
            flat = np.stack(
                [cv2.resize(f, (self.size, self.size), interpolation=how) for f in flat]
            )
            imgs = flat.reshape(*imgs.shape[:2], self.size, self.size, 3)
        results['imgs'] = imgs
        return results


@TRANSFORMS.register_module()
class FlipFrames(Transform):
    """Mirror left and right.

    Args:
        prob: Probability.
    """

    def __init__(self, *, prob: float = 0.5) -> None:
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Flip ``imgs``; ``flipped`` tells."""
        results['flipped'] = bool(results['rng'].random() < self.prob)
        if results['flipped']:
            results['imgs'] = results['imgs'][:, :, :, ::-1]
        return results


@TRANSFORMS.register_module()
class DisturbFrames(Transform):
    """With some probability do one of: flip, rotate, darken; as the official MART code does.

    Args:
        prob: Probability that anything happens.
        max_angle: Largest rotation in degrees, either way.
        min_brightness: Darkest factor; the brightest is 1.
    """

    def __init__(
        self, *, prob: float = 0.3, max_angle: float = 20.0, min_brightness: float = 0.5
    ) -> None:
        self.prob, self.max_angle, self.min_brightness = prob, max_angle, min_brightness

    def transform(self, results: dict) -> dict:
        """Disturb ``imgs``."""
        rng = results['rng']
        if rng.random() >= self.prob:
            return results
        imgs, kind = results['imgs'], rng.integers(3)
        if kind == 0:
            results['imgs'] = imgs[:, :, :, ::-1]
        elif kind == 1:
            angle = rng.uniform(-self.max_angle, self.max_angle)
            results['imgs'] = self._rotate(imgs, angle)
        else:
            factor = rng.uniform(self.min_brightness, 1.0)
            results['imgs'] = (imgs * np.float32(factor)).astype(np.uint8)
        return results

    @staticmethod
    def _rotate(imgs: np.ndarray, angle: float) -> np.ndarray:
        height, width = imgs.shape[2:4]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
        flat = imgs.reshape(-1, height, width, 3)
        turned = [
            cv2.warpAffine(
                np.ascontiguousarray(f), matrix, (width, height), borderMode=cv2.BORDER_REFLECT
            )
            for f in flat
        ]
        return np.stack(turned).reshape(imgs.shape)


@TRANSFORMS.register_module()
class MaskSpectrogram(Transform):
    """One time and one frequency stripe over the whole video's log-mel (SpecAugment).

    Args:
        time_width: Widest time stripe, in frames over all S x F.
        freq_width: Widest frequency stripe, in mel bins.
        fill: Value of the stripes: the mean of the log-mel statistics, so that it is 0 when
            normalised; or ``'mean'`` for the mean of the video's own log-mel.
    """

    def __init__(
        self, *, time_width: int = 192, freq_width: int = 24, fill: float | str = -4.2677393
    ) -> None:
        if min(time_width, freq_width) < 0:
            raise ValueError(
                f'time_width={time_width}, freq_width={freq_width}: must not be negative'
            )
        if isinstance(fill, str) and fill != 'mean':
            raise ValueError(f"fill={fill!r}: give a number or 'mean'")
        self.time_width, self.freq_width, self.fill = time_width, freq_width, fill

    def transform(self, results: dict) -> dict:
        """Mask ``audios``."""
        if not results['has_audio']:
            return results
        rng, audios = results['rng'], results['audios'].copy()
        shape = audios.shape
        picture = audios.reshape(-1, shape[-1])  # (S*F, mel bins)
        value = picture.mean() if self.fill == 'mean' else self.fill
        for axis, widest in ((0, self.time_width), (1, self.freq_width)):
            extent = picture.shape[axis]
            width = int(rng.integers(min(widest, extent) + 1))
            start = int(rng.integers(extent - width + 1))
            stripe = (slice(start, start + width), slice(None))
            picture[stripe if axis == 0 else stripe[::-1]] = value
        results['audios'] = picture.reshape(shape)
        return results
