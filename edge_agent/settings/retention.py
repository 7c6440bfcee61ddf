"""Settings of how long things are kept, and of what happens when the disk fills up."""

from __future__ import annotations

from pydantic import Field, model_validator

from edge_agent.settings.section import Section


class RetentionSettings(Section):
    """How long readings and evidence images are kept. Events, which everything is proven from, are kept for ever.

    Whatever is pinned by a claim, or drawn for the audit and not judged yet, is kept as long as that is so.
    """

    readings_days: int = Field(default=400, ge=7, le=36_500, description="Age at which a day of readings goes, days.")
    readings_max_gb: float | None = Field(
        default=None, gt=0, description="Room for readings, GB; the oldest days go first. No limit if unset."
    )
    readings_least_days: int = Field(
        default=7, ge=2, le=3_650, description="Newest days of readings that no want of room removes."
    )
    pass_days: float = Field(default=7.0, gt=0, le=36_500, description="Age at which images of PASS parts go, days.")
    no_verdict_days: float = Field(
        default=30.0, gt=0, le=36_500, description="Age at which images of NO_VERDICT parts go, days."
    )
    review_days: float = Field(
        default=180.0, gt=0, le=36_500, description="Age at which images of REVIEW parts go, days."
    )
    fail_days: float = Field(default=730.0, gt=0, le=36_500, description="Age at which images of FAIL parts go, days.")
    images_max_gb: float | None = Field(
        default=None, gt=0, description="Room for images, GB; PASS goes first, FAIL last. No limit if unset."
    )
    min_free_gb: float = Field(
        default=2.0, gt=0, le=100_000, description="With less free disk than this, images go and then old readings, GB."
    )
    stop_images_free_gb: float = Field(
        default=0.5, ge=0, le=100_000, description="With less free disk than this, no image is kept any more, GB."
    )
    ballast_mb: int = Field(
        default=32,
        ge=0,
        le=65_536,
        description="A file that is given up when the disk is full, so that facts go on, MB; 0 for none.",
    )
    max_share_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="A pass that would remove more than this share by age is refused: the clock may be wrong (ratio).",
    )
    clock_settle_h: float = Field(
        default=24.0, ge=0, le=720, description="After a jump of the clock nothing goes by age for so long, hours."
    )
    clock_gap_h: float = Field(
        default=72.0,
        gt=0,
        le=8_760,
        description="A reboot with a clock further ahead than this of what was known last is taken for a jump, hours.",
    )
    every_s: float = Field(default=600.0, ge=1, le=86_400, description="Time between two passes by age, seconds.")

    @model_validator(mode="after")
    def _in_order(self) -> RetentionSettings:
        problems = []
        if not self.pass_days <= min(self.no_verdict_days, self.review_days, self.fail_days):
            problems.append("pass_days is not the shortest. Fix: keep images of PASS parts no longer than any others")
        if self.fail_days < max(self.no_verdict_days, self.review_days):
            problems.append(
                "fail_days is not the longest. Fix: keep images of FAIL parts at least as long as all others"
            )
        if self.stop_images_free_gb > self.min_free_gb:
            problems.append(
                "stop_images_free_gb is more than min_free_gb. Fix: images are purged first and stop only after that"
            )
        if self.readings_least_days > self.readings_days:
            problems.append("readings_least_days is more than readings_days. Fix: make it less")
        if problems:
            raise ValueError("; ".join(problems))
        return self
