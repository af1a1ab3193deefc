"""SSAST's joint target: recognise and rebuild log-mel patches (Gong et al., AAAI 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec, mean_squared_error
from mart_mm.models.targets.info_nce import patch_info_nce
from mart_mm.models.targets.patch import FbankTarget
from mart_mm.registry import MODELS


@MODELS.register_module()
class SSASTTarget(FbankTarget):
    """InfoNCE over the masked patches of a segment, plus the squared error of their values.

    Two perceptrons of one hidden layer read each masked token. The authors draw a mask, and pass the
    encoder, once for each term; here both terms share one.

    Args:
        spec: What it is built for.
        patch_weight: Weight of the squared error beside InfoNCE, lambda of the paper.
        loss_weight: Weight of both.
    """

    def __init__(
        self, spec: RecoverySpec, *, patch_weight: float = 10.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__(spec, loss_weight=loss_weight)
        self.patch_weight = patch_weight

    def build_head(self, in_dims: int, out_dims: int) -> nn.Module:
        """A perceptron for each term."""
        return nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(in_dims, in_dims), nn.ReLU(), nn.Linear(in_dims, out_dims)
                )
                for name in ('nce', 'patch')
            }
        )

    def predict(self, decoded: DecodedTokens) -> Tensor:
        """Rebuilt patches (BS, n, patch elements)."""
        return self.head['patch'](decoded.features)

    def loss(
        self, decoded: DecodedTokens, inputs: dict, context: RecoveryContext
    ) -> dict[str, Tensor]:
        """``loss_nce`` and ``loss_patch`` over the masked tokens of segments that have sound."""
        decoded = decoded.hidden()
        target = self.patches(inputs, decoded).detach()
        is_masked = decoded.pick(context.is_masked)
        counts = is_masked & decoded.pick_segments(context.is_present)[:, None]
        nce = patch_info_nce(target, self.head['nce'](decoded.features), is_masked)
        error = mean_squared_error(self.predict(decoded), target)
        return {
            'loss_nce': self.loss_weight * global_mean(nce, counts),
            'loss_patch': self.loss_weight * self.patch_weight * global_mean(error, counts),
        }
