"""What a station judges each product by. A book is made whole and swapped whole, so that no part meets half of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from edge_agent.errors import ImageRefusedError
from edge_agent.inspection.inspections import Limits
from edge_agent.ports import ModelIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.inspection.inspections import Score
    from edge_agent.instant import Instant
    from edge_agent.ports import ImageScorer
    from edge_agent.workers.inspecting import Eyes


class TunedScorer:
    """A model with a recipe's limits instead of its own; implements `ports.ImageScorer`.

    Args:
        scorer: the model, loaded and warm.
        limits: what separates the verdicts.
    """

    def __init__(self, scorer: ImageScorer, limits: Limits) -> None:
        self.scorer = scorer
        self.limits = limits
        self.score: Callable[[NDArray[np.uint8]], Score] = scorer.score

    @property
    def identity(self) -> ModelIdentity:
        """The model's."""
        return self.scorer.identity

    @property
    def provider(self) -> str:
        """The model's."""
        return self.scorer.provider


class UnusableScorer:
    """Stands for a model that cannot be used, so that its station's parts get NO_VERDICT and all others their verdicts;
    implements `ports.ImageScorer`.

    Args:
        model: what the settings name.
        detail: why it cannot be used, in words.
    """

    provider = ""
    limits = Limits(threshold=float("inf"), review_from=float("inf"))

    def __init__(self, model: str, detail: str) -> None:
        self.identity = ModelIdentity(label=model, digest="")
        self.detail = detail

    def score(self, pixels: NDArray[np.uint8]) -> NoReturn:  # noqa: ARG002 - nothing is looked at
        """Say that no model looks.

        Raises:
            ImageRefusedError: always, `model_unusable`.
        """
        raise ImageRefusedError("model_unusable", self.detail, field="model", value=self.identity.label)


def _unnamed(_: Instant) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class RecipeBook:
    """The recipes of one station.

    Attributes:
        usual: the station's own.
        products: by product, where a product has its own.
        known_only: a product without a recipe gets NO_VERDICT; else the usual one judges it.
        own: the station's own product, empty when it has none; the usual recipe is its recipe unless it has another.
        product_at: the product before the station at a moment, for frames that do not name theirs.
    """

    usual: Eyes
    products: Mapping[str, Eyes] = field(default_factory=dict)
    known_only: bool = False
    product_at: Callable[[Instant], str] = _unnamed
    own: str = ""

    def of(self, product: str) -> Eyes:
        """The recipe of a product.

        Raises:
            ImageRefusedError: `unknown_product`.
        """
        eyes = self.products.get(product)
        if eyes is None and self.known_only and not self._is_own(product):
            raise ImageRefusedError(
                "unknown_product", "the station has no recipe for this product", field="product", value=product
            )
        return eyes or self.usual

    def all(self) -> Iterator[Eyes]:
        """Every recipe that can be chosen."""
        if not self.known_only or (self._is_own(self.own) and self.own not in self.products):
            yield self.usual
        yield from self.products.values()

    def fault_of(self, product: str) -> str:
        """Why no part of a product can be judged, as a reason code; empty when they can.

        Without a product an unknown one is no fault: pictures may say theirs.
        """
        try:
            scorer = self.of(product).scorer
        except ImageRefusedError as error:
            return error.reason if product else ""
        return "model_unusable" if isinstance(scorer, UnusableScorer) else ""

    def _is_own(self, product: str) -> bool:
        return bool(product) and product == self.own

    @property
    def unusable(self) -> tuple[UnusableScorer, ...]:
        """Models that recipes name and that cannot be used."""
        return tuple(eyes.scorer for eyes in self.all() if isinstance(eyes.scorer, UnusableScorer))

    @property
    def blind(self) -> bool:
        """Whether no recipe can judge anything."""
        return all(isinstance(eyes.scorer, UnusableScorer) for eyes in self.all())
