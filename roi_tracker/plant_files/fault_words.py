"""What is wrong with a plant file, and how to put it right, in both languages; places are named in braces."""

from __future__ import annotations

import msgspec

from roi_tracker.errors import IntakeError, RowError


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and the way out. Of a cell, `en` and `ko` say it after the cell's value."""

    en: str
    ko: str
    fix_en: str
    fix_ko: str

    def filled(self, places: dict[str, object]) -> Fault:
        """The same with its places filled."""
        return Fault(*(text.format_map(places) for text in (self.en, self.ko, self.fix_en, self.fix_ko)))


_OF_CELLS = {
    "number": Fault(
        "is no number", "숫자가 아닙니다",
        "write digits, without words or units", "글자나 단위 없이 숫자만 쓰십시오",
    ),
    "decimal_sign": Fault(
        "is no number", "숫자가 아닙니다",
        "the decimal sign is {sign!r}; set `decimal` of the mapping",
        "이 파일의 소수점은 {sign!r}로 읽힙니다. 매핑의 `decimal`을 정하십시오",
    ),
    "finite": Fault(
        "is no finite number", "유한한 수가 아닙니다",
        "leave it empty where nothing was measured", "측정하지 않은 칸은 비워 두십시오",
    ),
    "negative": Fault(
        "is negative", "음수입니다",
        "a count or quantity cannot be; correct the source", "개수나 양은 음수일 수 없습니다. 원본을 고치십시오",
    ),
    "whole": Fault(
        "is no whole number", "정수가 아닙니다",
        "a count has no fraction; is the decimal sign right?", "개수에는 소수가 없습니다. 소수점 기호를 확인하십시오",
    ),
    "beyond": Fault(
        "is more than the {most} that can be", "있을 수 있는 {most}보다 많습니다",
        "correct the figure, or its unit in the header", "값이나 열 이름의 단위를 고치십시오",
    ),
    "early": Fault(
        "lies before {first}", "기록할 수 있는 첫날 {first}보다 앞섭니다",
        "correct the date; the clock may never have been set", "날짜를 고치십시오. 시계가 맞춰지지 않았을 수 있습니다",
    ),
    "future": Fault(
        "lies in the future", "아직 오지 않은 날입니다",
        "a record is of what has been; correct the date", "기록은 지난 일이어야 합니다. 날짜를 고치십시오",
    ),
    "long": Fault(
        "makes a period of {days} days, more than {most}", "기간이 {days}일로 {most}일보다 깁니다",
        "correct start or end; record what is longer in parts",
        "시작이나 종료를 고치십시오. 더 긴 것은 나누어 적으십시오",
    ),
    "busy_beyond": Fault(
        "is more than the {most} h of its period", "기간의 {most}시간보다 깁니다",
        "correct the time, its unit, or the shift", "시간이나 단위, 교대를 고치십시오",
    ),
    "hours_beyond": Fault(
        "is more than the {most} h that people can work in this period",
        "이 기간에 사람이 일할 수 있는 {most}시간보다 많습니다",
        "correct the hours or their unit; a row is one role of one line",
        "시간이나 단위를 고치십시오. 한 행은 한 라인의 한 직무입니다",
    ),
    "large": Fault("is too large", "너무 큽니다", "correct it", "고치십시오"),
    "amount": Fault(
        "is no amount", "금액이 아닙니다",
        "write digits; give the unit in the header, such as 금액(만원)",
        "숫자만 쓰고 단위는 열 이름에 쓰십시오. 예: 금액(만원)",
    ),
    "flag": Fault(
        "is neither yes nor no", "예/아니오로 읽을 수 없습니다",
        "write yes/no, Y/N, 1/0, 계획/비계획", "예/아니오, Y/N, 1/0, 계획/비계획 가운데 하나로 쓰십시오",
    ),
    "offset": Fault(
        "has an offset from UTC, others of the file have none",
        "UTC 차이가 적혀 있는데 파일의 다른 시각에는 없습니다",
        "write all times of a file in one way", "한 파일의 시각은 모두 같은 방식으로 쓰십시오",
    ),
    "no_offset": Fault(
        "has no offset, others have one", "UTC 차이가 없는데 파일의 다른 시각에는 있습니다",
        "write all times of a file in one way", "한 파일의 시각은 모두 같은 방식으로 쓰십시오",
    ),
    "zone": Fault(
        "has no time zone", "시간대를 알 수 없습니다",
        "give --case, or `time_zone` in a mapping", "--case를 주거나 매핑에 `time_zone`을 쓰십시오",
    ),
    "skipped_hour": Fault(
        "does not exist: the clock was put forward", "없는 시각입니다. 그때 시계를 앞당겼습니다",
        "correct the time, or write its UTC offset", "시각을 고치거나 UTC 차이를 함께 쓰십시오",
    ),
    "twice_hour": Fault(
        "occurs twice: the clock was put back", "두 번 오는 시각입니다. 그때 시계를 늦췄습니다",
        "set `ambiguous_hour` of the mapping", "매핑의 `ambiguous_hour`를 정하십시오",
    ),
    "date_format": Fault(
        "is not written as {format}", "{format} 꼴이 아닙니다",
        "correct it, or `date_format`", "값을 고치거나 `date_format`을 고치십시오",
    ),
    "date": Fault(
        "is no date", "날짜가 아닙니다",
        "write 2025-03-01, or 2025-03-01 06:00", "2025-03-01 또는 2025-03-01 06:00처럼 쓰십시오",
    ),
    "date_either_way": Fault(
        "is no date", "어느 것이 월이고 일인지 알 수 없는 날짜입니다",
        "day and month could be either way; set `date_format` of the mapping, such as %d.%m.%Y",
        "매핑의 `date_format`을 정하십시오. 예: %d.%m.%Y",
    ),
    "no_such_date": Fault(
        "is no date: no calendar has it", "달력에 없는 날짜나 시각입니다",
        "write 2025-03-01, or 2025-03-01 06:00", "2025-03-01 또는 2025-03-01 06:00처럼 쓰십시오",
    ),
    "time": Fault("is no time", "시각이 아닙니다", "write 2025-03-01 06:00", "2025-03-01 06:00처럼 쓰십시오"),
    "word": Fault("is not known", "모르는 말입니다", "one of {known}", "다음 가운데 하나로 쓰십시오: {known}"),
    "money_unit": Fault(
        "is no unit of money", "돈의 단위가 아닙니다", "one of {known}", "다음 가운데 하나로 쓰십시오: {known}"
    ),
    "unit": Fault("is an unknown unit", "모르는 단위입니다", "one of {known}", "다음 가운데 하나로 쓰십시오: {known}"),
    "not_calculated": Fault(
        "is a formula without a stored result", "결과가 저장되지 않은 수식입니다",
        "open the file in Excel, recalculate and save it", "엑셀에서 열어 다시 계산한 뒤 저장하십시오",
    ),
    "empty": Fault("is empty", "비어 있습니다", "fill it in; a row needs it", "채우십시오. 행마다 있어야 합니다"),
    "stop_start": Fault(
        "is empty", "비어 있습니다",
        "a stop needs the time at which it began; a day without any stop is a day with duration 0",
        "정지에는 시작 시각이 있어야 합니다. 정지가 없던 날은 일자와 정지시간 0으로 적으십시오",
    ),
    "cost_day": Fault("is empty", "비어 있습니다", "a cost needs its day", "비용에는 날짜가 있어야 합니다"),
    "end_before_start": Fault(
        "is not after the start", "시작보다 뒤가 아닙니다", "correct start or end", "시작이나 종료를 고치십시오"
    ),
    "no_time": Fault(
        "says no time", "행에 때가 없습니다",
        "give start and end, or a day with its shift, as columns", "시작과 종료, 또는 일자와 교대를 열로 주십시오",
    ),
    "shift_calendar": Fault(
        "names a shift of an unknown calendar", "교대 달력을 모릅니다", "give --case", "--case를 주십시오"
    ),
    "shift": Fault(
        "is no shift of the plant", "공장에 없는 교대입니다",
        "the case has {known}; rename under [values.shift] of a mapping",
        "사업계획서의 교대는 {known}입니다. 매핑의 [values.shift]에서 이름을 바꾸십시오",
    ),
    "same_twice": Fault(
        "says the same as another row, otherwise", "다른 행과 같은 대상을 다르게 적었습니다",
        "two rows of this file speak of the same; keep one or give the column that tells them apart",
        "이 파일의 두 행이 같은 대상을 말합니다. 하나만 두거나 둘을 가르는 열을 주십시오",
    ),
    "stored_otherwise": Fault(
        "is stored otherwise", "다르게 저장되어 있습니다",
        "import with --replace if the file is right; what it replaces is kept",
        "파일이 맞으면 --replace로 들여오십시오. 바뀌기 전 내용은 남습니다",
    ),
    "event_line": Fault(
        "{why}", "에이전트 이벤트로 읽을 수 없습니다: {why}",
        "give the line as `edge-agent export` wrote it", "`edge-agent export`가 쓴 줄을 그대로 주십시오",
    ),
    "above_inspected": Fault(
        "is more than the {most} inspected", "검사한 {most}개보다 많습니다", "correct it", "고치십시오"
    ),
    "above_audited": Fault(
        "is more than the {most} audited", "감사한 {most}개보다 많습니다", "correct it", "고치십시오"
    ),
    "above_shown": Fault("is more than the {most} shown", "투입한 {most}개보다 많습니다", "correct it", "고치십시오"),
}  # fmt: skip
_OF_FILES = {
    "rows_wrong": Fault(
        "{wrong} rows of {source} cannot be used; nothing was imported",
        "{source}의 {wrong}개 행을 쓸 수 없어 아무것도 들여오지 않았습니다",
        "correct the rows named and import again", "아래 행을 고쳐 다시 들여오십시오",
    ),
    "contradiction": Fault(
        "{wrong} rows of {source} contradict what is known; nothing was imported",
        "{source}의 {wrong}개 행이 이미 있는 내용과 달라 아무것도 들여오지 않았습니다",
        "correct them, or import with --replace", "고치거나 --replace로 들여오십시오",
    ),
    "holds_costs": Fault(
        "{source} holds costs, which belong into the ledger", "{source}에는 비용이 있고, 비용은 장부에 기록합니다",
        "see `roi-tracker import`", "`roi-tracker import`를 보십시오",
    ),
    "ambiguous_sign": Fault(
        "{source}: numbers such as 1,234 may be a thousand or a little more than one",
        "{source}: 1,234 같은 수가 천이백삼십사인지 1.234인지 알 수 없습니다",
        "set `decimal` of the mapping to '.' or ','", "매핑의 `decimal`을 '.' 또는 ','로 정하십시오",
    ),
    "mapping": Fault(
        "the mapping cannot be used: {why}", "매핑을 쓸 수 없습니다: {why}",
        "see docs/operate/plant-files.md", "docs/operate/plant-files.md를 보십시오",
    ),
    "headers_twice": Fault(
        "{source}: the headers {headers} occur twice", "{source}: 열 이름 {headers}이(가) 두 번 나옵니다",
        "rename one of each", "하나씩 이름을 바꾸십시오",
    ),
    "fields_unknown": Fault(
        "{source}: the mapping names unknown fields {fields}", "{source}: 매핑에 모르는 항목 {fields}이(가) 있습니다",
        "fields of {kind}: {known}", "{kind}의 항목: {known}",
    ),
    "columns_missing": Fault(
        "{source}: {kind} need columns for {fields}", "{source}: {kind}에 필요한 열이 없습니다: {fields}",
        "name them under [columns] or [constants] of a mapping; headers found: {headers}",
        "매핑의 [columns]나 [constants]에 쓰십시오. 파일의 열: {headers}",
    ),
    "kind_unknown": Fault(
        "{source}: the headers do not tell what the rows are: {headers}",
        "{source}: 열 이름만으로는 무엇을 적은 행인지 알 수 없습니다: {headers}",
        "give --kind, or `kind` in a mapping: {known}", "--kind나 매핑의 `kind`로 정하십시오: {known}",
    ),
    "column_absent": Fault(
        "{source}: there is no column {column!r} for {field}", "{source}: {field}에 정한 {column!r} 열이 없습니다",
        "headers found: {headers}", "파일의 열: {headers}",
    ),
    "columns_rival": Fault(
        "{source}: {columns} may all be {field}", "{source}: {columns} 모두 {field}일 수 있습니다",
        "say which under [columns] of a mapping", "매핑의 [columns]에서 하나를 정하십시오",
    ),
    "no_headers": Fault(
        "{source} has no headers in row {row}", "{source}의 {row}행에 열 이름이 없습니다",
        "set `header_row` of a mapping", "매핑의 `header_row`를 정하십시오",
    ),
    "many_columns": Fault(
        "{source} has {columns} columns, more than {most}", "{source}의 열이 {columns}개로 {most}개보다 많습니다",
        "export only the columns that are needed", "필요한 열만 내보내십시오",
    ),
    "many_rows": Fault(
        "{source} has more than {most:,} rows", "{source}의 행이 {most:,}개보다 많습니다",
        "import it in parts", "나누어 들여오십시오",
    ),
    "unreadable": Fault(
        "{source} cannot be read: {why}", "{source}을(를) 읽을 수 없습니다: {why}",
        "check path and rights; set `encoding` of the mapping, such as cp949",
        "경로와 권한을 확인하고, 필요하면 매핑의 `encoding`을 정하십시오. 예: cp949",
    ),
    "no_text": Fault(
        "{source} is no text", "{source}은(는) 텍스트가 아닙니다",
        "export it as CSV, or name it .xlsx", "CSV로 내보내거나 .xlsx로 이름을 바꾸십시오",
    ),
    "quote": Fault(
        "{source}, row {row}: {why}", "{source} {row}행: {why}",
        "a quote is not closed, or a cell is too long", "따옴표가 닫히지 않았거나 칸이 너무 깁니다",
    ),
    "format": Fault(
        "{source}: {suffix} is not read", "{source}: {suffix} 파일은 읽지 않습니다",
        "save it as .xlsx without macros, or as .csv", "매크로 없는 .xlsx나 .csv로 저장하십시오",
    ),
    "sheet_absent": Fault(
        "{source} has no sheet {sheet!r}", "{source}에 {sheet!r} 시트가 없습니다",
        "sheets: {known}", "시트: {known}",
    ),
    "damaged": Fault(
        "{source} is damaged: {why}", "{source}이(가) 손상되었습니다: {why}",
        "open it in Excel or LibreOffice and save it again", "엑셀이나 LibreOffice에서 열어 다시 저장하십시오",
    ),
    "large_file": Fault(
        "{source} has more than {most:,} bytes", "{source}이(가) {most:,}바이트보다 큽니다",
        "import it as CSV, or in parts", "CSV로, 또는 나누어 들여오십시오",
    ),
    "unpacks": Fault(
        "{source} unpacks to {size:,} bytes in {parts} parts",
        "{source}을(를) 풀면 {parts}개 부분, {size:,}바이트입니다",
        "import it as CSV, or in parts", "CSV로, 또는 나누어 들여오십시오",
    ),
    "macros": Fault(
        "{source} has macros", "{source}에 매크로가 있습니다",
        "save it as .xlsx without macros", "매크로 없는 .xlsx로 저장하십시오",
    ),
    "entities": Fault(
        "{source} declares entities", "{source}에 엔티티 선언이 있습니다",
        "save the workbook again in Excel", "엑셀에서 통합 문서를 다시 저장하십시오",
    ),
    "beyond": Fault(
        "{source} has more than {most:,} rows or {columns} columns",
        "{source}의 행이 {most:,}개보다 많거나 열이 {columns}개보다 많습니다",
        "delete what lies beyond the table, or import it in parts", "표 밖의 내용을 지우거나 나누어 들여오십시오",
    ),
    "absent": Fault(
        "there is no file {source}", "{source} 파일이 없습니다", "check the path", "경로를 확인하십시오"
    ),
    "nothing": Fault(
        "nothing to import", "들여올 것이 없습니다", "name files, or --feed URL", "파일을 적거나 --feed URL을 주십시오"
    ),
    "kind_absent": Fault(
        "there are no rows of kind {kind!r}", "{kind!r}라는 행의 종류는 없습니다",
        "one of {known}", "다음 가운데 하나로 쓰십시오: {known}",
    ),
    "costs_without_case": Fault(
        "{source} holds costs, and no case says whose they are", "{source}에 비용이 있는데 어느 사업의 것인지 모릅니다",
        "give --case", "--case를 주십시오",
    ),
    "booked_otherwise": Fault(
        "{source}: {references} are booked otherwise; nothing was booked",
        "{source}: {references}이(가) 다른 내용으로 이미 기장되어 있어 아무것도 기장하지 않았습니다",
        "the ledger is never changed: book the difference under a reference of its own",
        "장부는 고치지 않습니다. 차액을 새 전표번호로 기장하십시오",
    ),
    "lines_wrong": Fault(
        "{wrong} of the lines in {source} cannot be used; nothing was imported",
        "{source}의 {wrong}개 줄을 쓸 수 없어 아무것도 들여오지 않았습니다",
        "correct the lines named and import again; what is already there is not imported twice",
        "아래 줄을 고쳐 다시 들여오십시오. 이미 있는 것은 두 번 들어가지 않습니다",
    ),
}  # fmt: skip


def cell_fault(name: str, **places: object) -> Fault:
    """What is wrong with a cell.

    >>> cell_fault("above_audited", most=30).en
    'is more than the 30 audited'
    """
    return _OF_CELLS[name].filled(places)


def file_fault(name: str, *, rows: tuple[RowError, ...] = (), **places: object) -> IntakeError:
    """What is wrong with a file as a whole, as the error that refuses it."""
    fault = _OF_FILES[name].filled(places)
    return IntakeError(fault.en, rows=rows, hint=fault.fix_en, message_ko=fault.ko, hint_ko=fault.fix_ko)
