"""The card a person reads before using a model: Korean and English, from the manifest's own figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.manifest import DecisionLimits, HealthContract, ImageEvaluation, Manifest

_TASK = {"anomaly": ("이미지 이상 검출", "image anomaly detection"), "health": ("설비 건전도", "machine health")}


def model_card(manifest: Manifest) -> str:
    """The card as Markdown; the manifest's file list is not needed yet."""
    korean, english = _TASK[manifest.task]
    ko = [f"# {manifest.label}", "", "## 한국어", "", f"- 용도: {korean}{_product(manifest.product, ' · 제품 ')}"]
    en = ["", "## English", "", f"- Use: {english}{_product(manifest.product, ', product ')}"]
    ko.append(f"- 학습: `{manifest.lineage.trainer}`, 자료 {manifest.lineage.n_samples}건 (정상만)")
    en.append(f"- Taught by `{manifest.lineage.trainer}` from {manifest.lineage.n_samples} samples, healthy ones only")
    if manifest.decision is not None:
        _decision(manifest.decision, ko, en)
    if manifest.health is not None:
        _health(manifest.health, ko, en)
    if manifest.evaluation is not None:
        _evaluation(manifest.evaluation, ko, en)
    ko.append(
        "- 한계: 학습한 정상과 다르면 결함이 아니어도 이상으로 봅니다. 조명·자세·제품이 바뀌면 다시 학습하십시오."
    )
    en.append(
        "- Limits: whatever differs from the good parts it was taught counts as abnormal, defect or not. Teach again "
        "when light, pose or product change."
    )
    ko.append("- 서명: 없음. 출처는 이 파일로 증명되지 않습니다.")
    en.append("- Signature: none. Nothing here proves who made it.")
    settings = [f"- `{setting.name}` = {setting.value}" for setting in manifest.lineage.settings]
    tail = ["", "## 설정 / Settings", "", *settings, "", f"Licence: {manifest.licence}", ""]
    return "\n".join([*ko, *en, *tail])


def _product(product: str, lead: str) -> str:
    return f"{lead}{product}" if product else ""


def _decision(decision: DecisionLimits, ko: list[str], en: list[str]) -> None:
    overkill, review = 100 * decision.expected_overkill, 100 * decision.expected_review
    ko.append(
        f"- 판정: {decision.threshold:.4g} 이상 FAIL, {decision.review_from:.4g} 이상 REVIEW. 정상 "
        f"{decision.n_held_out}건의 교차 검증 점수에서 정함 (예상 과검 {overkill:.2g} %, 재확인 {review:.2g} %)"
    )
    en.append(
        f"- Decision: FAIL from {decision.threshold:.4g}, REVIEW from {decision.review_from:.4g}, set on the held-out "
        f"scores of {decision.n_held_out} good parts (expected overkill {overkill:.2g} %, review {review:.2g} %)"
    )


def _health(health: HealthContract, ko: list[str], en: list[str]) -> None:
    names = ", ".join(channel.name for channel in health.channels)
    share = 100 * health.limit_quantile
    ko.append(f"- 입력: {names} ({health.period_s:g}초 간격 {health.window_rows}행)")
    ko.append(f"- 한계값: 따로 둔 정상 구간 {health.n_held_out}개 창의 {share:g} %가 한계 안")
    en.append(f"- Input: {names} ({health.window_rows} rows, one every {health.period_s:g} s)")
    en.append(f"- Limit: {share:g} % of {health.n_held_out} windows of held-out healthy stretches lie inside")


def _evaluation(evaluation: ImageEvaluation, ko: list[str], en: list[str]) -> None:
    interval = f"{evaluation.image_auroc:.3f} ({evaluation.image_auroc_low:.3f} ~ {evaluation.image_auroc_high:.3f})"
    escape = 100 * evaluation.escape_at_overkill_1pct
    ko.append(
        f"- 평가: 정상 {evaluation.n_good}건(교차 검증), 불량 {evaluation.n_bad}건, AUROC {interval}, "
        f"과검 1 %에서 유출 {escape:.1f} %"
    )
    en.append(
        f"- Evaluation: {evaluation.n_good} good (held out in turn), {evaluation.n_bad} bad, AUROC {interval}, "
        f"escapes at 1 % overkill {escape:.1f} %"
    )
