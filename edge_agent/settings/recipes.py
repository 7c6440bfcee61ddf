"""Settings of what judges a part: model, limits and costs, for a station and for each of its products."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from edge_agent.settings.section import Section

ProductName = str


class CostSettings(Section):
    """What a wrong verdict costs, per part; shown beside the limits, which do not follow from it by themselves."""

    escape: float = Field(ge=0, description="Cost of a defective part that passes, in `currency`.")
    overkill: float = Field(ge=0, description="Cost of a good part that is rejected, in `currency`.")
    currency: Literal["KRW", "USD", "EUR", "JPY", "CNY"] = Field(default="KRW", description="Currency of both.")


class LimitSettings(Section):
    """Limits and costs that hold instead of the model's own."""

    threshold: float | None = Field(
        default=None, gt=0, description="Score from which a part fails; the model's own when unset."
    )
    review_from: float | None = Field(
        default=None, gt=0, description="Score from which a person looks, at most `threshold`; the model's when unset."
    )
    costs: CostSettings | None = Field(default=None, description="What wrong verdicts cost.")

    @model_validator(mode="after")
    def _review_below_threshold(self) -> LimitSettings:
        if self.threshold is not None and self.review_from is not None and self.review_from > self.threshold:
            message = f"review_from {self.review_from:g} lies above threshold {self.threshold:g}"
            raise ValueError(message)
        return self


class RecipeSettings(LimitSettings):
    """What judges one product at a station; what is unset is the station's."""

    product: ProductName = Field(min_length=1, max_length=256, description="Product, as facts name it.")
    model: str | None = Field(default=None, description="Model of this product; the station's when unset.")


class StationRecipes(LimitSettings):
    """The part of a station that says what judges its parts; a base of the station's settings."""

    recipes: tuple[RecipeSettings, ...] = Field(default=(), description="What judges each product.")
    unknown_product: Literal["no_verdict", "default"] = Field(
        default="default",
        description=(
            "Any product but the station's own without a recipe: NO_VERDICT, or the station's own model and limits."
        ),
    )

    @model_validator(mode="after")
    def _products_once(self) -> StationRecipes:
        names = [recipe.product for recipe in self.recipes]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            message = f"recipes: the product {twice[0]!r} is given twice"
            raise ValueError(message)
        if self.unknown_product == "no_verdict" and not self.recipes:
            message = 'unknown_product = "no_verdict" without recipes judges nothing. Fix: add [[stations.recipes]]'
            raise ValueError(message)
        return self
