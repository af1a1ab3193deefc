"""Two views of one video, and the image operations that make them differ."""

from __future__ import annotations

import cv2
import numpy as np

from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS

VIEW_KEYS = ('imgs', 'audios')


@TRANSFORMS.register_module()
class TwoViews(Transform):
    """Run two pipelines on one record, each with its own draw of clips and augmentation.

    Both end in a packing step. The sample is the first one's; the second one's frames and sound stand
    beside it as ``inputs['second']``.

    Args:
        first: Pipeline of the first view.
        second: Pipeline of the second view; default: the first one's.
    """

    def __init__(self, *, first: list[dict], second: list[dict] | None = None) -> None:
        self.first = [TRANSFORMS.build(step) for step in first]
        self.second = [TRANSFORMS.build(step) for step in (first if second is None else second)]

    def transform(self, results: dict) -> dict:
        """Make both."""
        results, other = dict(results), dict(results)
        for step in self.first:
            results = step(results)
        for step in self.second:
            other = step(other)
        results['inputs']['second'] = {key: other['inputs'][key] for key in VIEW_KEYS}
        return results


@TRANSFORMS.register_module()
class RandomResizedCrop(Transform):
    """Cut a box of random area and shape and scale it to a square; one draw for the whole video.

    Args:
        size: Side of the result in pixels.
        scale: Smallest and largest share of the area.
        ratio: Smallest and largest width over height.
    """

    def __init__(
        self,
        *,
        size: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        if not 0 < scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(
                f'scale={scale}, ratio={ratio}: rising shares in (0, 1], rising ratios'
            )
        self.size, self.scale, self.ratio = size, scale, ratio

    def transform(self, results: dict) -> dict:
        """Crop ``imgs``."""
        imgs, rng = results['imgs'], results['rng']
        top, left, height, width = self._box(*imgs.shape[2:4], rng)
        cut = imgs[:, :, top : top + height, left : left + width]
        flat = cut.reshape(-1, height, width, 3)
        size = (self.size, self.size)
        scaled = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_LINEAR) for f in flat])
        results['imgs'] = scaled.reshape(*imgs.shape[:2], *size, 3)
        return results

    def _box(self, height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
        """Top, left, height and width; the largest centred box when ten draws do not fit."""
        for _ in range(10):
            area = height * width * rng.uniform(*self.scale)
            shape = np.exp(rng.uniform(*np.log(self.ratio)))
            w, h = round(np.sqrt(area * shape)), round(np.sqrt(area / shape))
            if 0 < w <= width and 0 < h <= height:
                return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
        w = min(width, round(height * self.ratio[1]))
        h = min(height, round(width / self.ratio[0]))
        return (height - h) // 2, (width - w) // 2, h, w


@TRANSFORMS.register_module()
class DistortColours(Transform):
    """Jitter, grey, blur and solarise, each with its probability; one draw for the whole video.

    The operations of MoCo v3 (Chen et al., ICCV 2021). The defaults are its first view; its second
    one has ``blur=0.1, solarise=0.2``.

    Args:
        jitter: Probability of changing brightness, contrast, saturation and hue.
        strengths: Largest change of each of these.
        grey: Probability of no colour.
        blur: Probability of a Gaussian blur, sigma 0.1 to 2 pixels at 224 pixels, less at fewer.
        solarise: Probability of inverting values from 128 on.
    """

    def __init__(
        self,
        *,
        jitter: float = 0.8,
        strengths: tuple[float, float, float, float] = (0.4, 0.4, 0.2, 0.1),
        grey: float = 0.2,
        blur: float = 1.0,
        solarise: float = 0.0,
    ) -> None:
        self.jitter, self.strengths = jitter, strengths
        self.grey, self.blur, self.solarise = grey, blur, solarise

    def transform(self, results: dict) -> dict:
        """Distort ``imgs``."""
        imgs, rng = results['imgs'], results['rng']
        chosen = rng.random(4) < (self.jitter, self.grey, self.blur, self.solarise)
        if chosen[0]:
            imgs = self._jitter(imgs, rng)
        if chosen[1]:
            imgs = np.repeat(_luma(imgs)[..., None], 3, axis=-1).round().astype(np.uint8)
        if chosen[2]:
            imgs = self._blur(imgs, rng)
        if chosen[3]:
            imgs = np.where(imgs < 128, imgs, 255 - imgs)
        results['imgs'] = imgs
        return results

    def _jitter(self, imgs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        brightness, contrast, saturation, hue = self.strengths
        frames = imgs.astype(np.float32)
        for kind in rng.permutation(3):
            if kind == 0:
                frames = frames * rng.uniform(1 - brightness, 1 + brightness)
            elif kind == 1:
                frames = _mix(frames, _luma(frames).mean(), rng.uniform(1 - contrast, 1 + contrast))
            else:
                factor = rng.uniform(1 - saturation, 1 + saturation)
                frames = _mix(frames, _luma(frames)[..., None], factor)
            frames = frames.clip(0, 255)
        return _turn_hue(frames.round().astype(np.uint8), rng.uniform(-hue, hue))

    @staticmethod
    def _blur(imgs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        sigma = rng.uniform(0.1, 2.0) * min(imgs.shape[2:4]) / 224
        flat = imgs.reshape(-1, *imgs.shape[2:])
        return np.stack([cv2.GaussianBlur(f, (0, 0), max(sigma, 1e-3)) for f in flat]).reshape(
            imgs.shape
        )


def _luma(imgs: np.ndarray) -> np.ndarray:
    """Brightness (..., H, W) of RGB pictures (ITU-R BT.601)."""
    return imgs @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


def _mix(frames: np.ndarray, other: np.ndarray | float, share: float) -> np.ndarray:
    return share * frames + (1 - share) * other


def _turn_hue(imgs: np.ndarray, turn: float) -> np.ndarray:
    """Turn the hue by a share of the full circle."""
    flat = imgs.reshape(-1, *imgs.shape[2:])
    turned = []
    for frame in flat:
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV_FULL)
        hsv[..., 0] = (hsv[..., 0].astype(np.int32) + round(turn * 256)) % 256
        turned.append(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL))
    return np.stack(turned).reshape(imgs.shape)
