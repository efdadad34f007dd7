//! Columns out of cells of text: what the cells hold is found on the way, over the whole column.

use std::iter::repeat_n;

use crate::categories::{Categories, CategoriesBuilder};
use crate::cell::{Cell, Style, classify, is_missing};
use crate::numbers::Numbers;
use crate::table::{ColumnType, MISSING_TIME, Times, Values};
use crate::time::readable_orders;

const UNCLEAR_ORDER: &str = "month and day of the dates cannot be told apart; write them as 2024-12-31, or declare the column \
                             month_first or day_first";

/// Grows a column cell by cell.
///
/// The first cell that is not missing decides what the column holds. A later one that does not fit makes it a column of
/// text; since the texts before it are gone by then, the file must be read once more ([`Built::ReadAgain`]). So must one whose dates
/// show only in the course of the column whether the month stands first or the day. So a column is never judged by a prefix, and nearly
/// every file is still read once.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    /// What the user says the column holds.
    declared: Option<ColumnType>,
    style: Style,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Only missing cells so far; `nothing`: one of them is a level if the column turns out to be text.
    Undecided {
        rows: usize,
        nothing: bool,
    },
    /// With the unit that all of them have, if any.
    Number(Numbers, Option<char>),
    Boolean(Vec<Option<bool>>),
    Time(Vec<i64>),
    /// Times of which the month may stand first or the day: which orders of [`DateOrder::ALL`](crate::date::DateOrder::ALL) fit all of them.
    OpenTime([bool; 2]),
    Text(CategoriesBuilder),
    ReadAgainAsText,
}

/// A column at the end of its file.
pub(crate) enum Built {
    Values(Values),
    /// The file must be read once more, the column as this.
    ReadAgain(ColumnType),
}

impl ColumnBuilder {
    /// `comma`: numbers have a decimal comma.
    pub(crate) fn new(declared: Option<ColumnType>, comma: bool) -> ColumnBuilder {
        let state = match declared {
            Some(ColumnType::Category) => State::Text(CategoriesBuilder::default()),
            _ => State::Undecided { rows: 0, nothing: false },
        };
        ColumnBuilder { declared, style: Style { comma, dates: declared.and_then(ColumnType::dates) }, state }
    }

    /// Appends a cell.
    ///
    /// # Errors
    /// What is wrong with a cell that is not of the declared type.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), String> {
        let text = trimmed(text);
        match &mut self.state {
            State::Text(texts) => texts.push(Some(text)),
            State::ReadAgainAsText => {}
            _ => self.push_cell(text)?,
        }
        Ok(())
    }

    fn push_cell(&mut self, text: &str) -> Result<(), String> {
        let cell = classify(text, self.style);
        if let (Some(declared), Some(kind)) = (self.declared, cell.kind())
            && declared.holds() != kind
        {
            return Err(declared.refuses(text));
        }
        match (&mut self.state, cell) {
            (State::Undecided { rows, .. }, Cell::Missing) => *rows += 1,
            (State::Undecided { rows, nothing }, Cell::Nothing) => (*rows, *nothing) = (*rows + 1, true),
            (State::Number(numbers, unit), Cell::Number(_) | Cell::Amount(..))
                if *unit == cell.unit() || self.declared.is_some() =>
            {
                numbers.push(cell.number());
            }
            (State::Number(numbers, _), Cell::Missing | Cell::Nothing) => numbers.push(f64::NAN),
            (State::Boolean(flags), Cell::Boolean(value)) => flags.push(Some(value)),
            (State::Boolean(flags), Cell::Missing | Cell::Nothing) => flags.push(None),
            (State::Time(times), Cell::Time(value)) => times.push(value),
            (State::Time(times), Cell::Missing | Cell::Nothing) => times.push(MISSING_TIME),
            (State::Time(_), Cell::OpenTime(orders)) => self.state = State::OpenTime(orders),
            (State::OpenTime(fit), Cell::OpenTime(orders)) => *fit = both(*fit, orders),
            (State::OpenTime(_), Cell::Time(_) | Cell::Missing | Cell::Nothing) => {}
            (&mut State::Undecided { rows, nothing }, _) => {
                self.state = State::first(cell, text, rows, nothing);
            }
            _ => self.state = State::ReadAgainAsText,
        }
        Ok(())
    }

    /// # Errors
    /// A declared column of times whose order is not clear.
    pub(crate) fn finish(self) -> Result<Built, String> {
        Ok(Built::Values(match self.state {
            State::Undecided { rows, .. } => Values::missing(self.declared.unwrap_or(ColumnType::Number), rows),
            State::Number(mut numbers, _) => {
                numbers.shrink();
                Values::Number(numbers)
            }
            State::Boolean(flags) => Values::Boolean(flags),
            State::Time(micros) => Values::Time(Times { micros, order: self.style.dates }),
            State::OpenTime(fit) => return ordered(fit, self.declared).map(Built::ReadAgain),
            State::Text(texts) => Values::Category(without_missing(texts.finish())),
            State::ReadAgainAsText => return Ok(Built::ReadAgain(ColumnType::Category)),
        }))
    }
}

/// The orders that fit these and those.
fn both(these: [bool; 2], those: [bool; 2]) -> [bool; 2] {
    [these[0] && those[0], these[1] && those[1]]
}

/// What a column of open times holds, by the orders that fit all of them: text where that is not one order.
///
/// # Errors
/// The column is declared to hold times, and it is not one order.
fn ordered(fit: [bool; 2], declared: Option<ColumnType>) -> Result<ColumnType, String> {
    match fit {
        [true, false] => Ok(ColumnType::MonthFirst),
        [false, true] => Ok(ColumnType::DayFirst),
        _ if declared.is_none() => Ok(ColumnType::Category),
        [true, true] => Err(UNCLEAR_ORDER.to_owned()),
        [false, false] => Err("some dates can only have the month first and others only the day".to_owned()),
    }
}

impl State {
    /// The state after `rows` missing cells and the first one that is not.
    fn first(cell: Cell, text: &str, rows: usize, nothing: bool) -> State {
        match cell {
            Cell::Number(_) | Cell::Amount(..) => {
                State::Number(repeat_n(f64::NAN, rows).chain([cell.number()]).collect(), cell.unit())
            }
            Cell::Boolean(value) => State::Boolean(repeat_n(None, rows).chain([Some(value)]).collect()),
            Cell::Time(value) => State::Time(repeat_n(MISSING_TIME, rows).chain([value]).collect()),
            Cell::OpenTime(orders) => State::OpenTime(orders),
            _ if nothing => State::ReadAgainAsText,
            _ => {
                let mut texts = CategoriesBuilder::default();
                repeat_n(None, rows).chain([Some(text)]).for_each(|text| texts.push(text));
                State::Text(texts)
            }
        }
    }
}

/// The text without white space around it; most cells have none.
fn trimmed(text: &str) -> &str {
    let solid = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if solid(bytes.first()) && solid(bytes.last()) { text } else { text.trim() }
}

/// A column of trimmed texts as what its texts say: numbers, truth values, times, or else text.
///
/// # Errors
/// The first row (0-based) that is not of the declared type, and what is wrong with it.
pub(crate) fn from_texts(texts: Categories, declared: Option<ColumnType>) -> Result<Values, (usize, String)> {
    let order = declared.and_then(ColumnType::dates);
    let style = Style { dates: order, ..Style::default() };
    let cells: Vec<Cell> = texts.levels.iter().map(|level| classify(level, style)).collect();
    let mut kinds = cells.iter().filter_map(|cell| Some((cell.kind()?, cell.unit())));
    let first = kinds.next();
    let kind = match declared.map(ColumnType::holds).or(first.map(|(kind, _)| kind)) {
        Some(ColumnType::Category) => ColumnType::Category,
        Some(_) if declared.is_none() && kinds.any(|other| Some(other) != first) => ColumnType::Category,
        Some(kind) => kind,
        None => ColumnType::Number,
    };
    if kind == ColumnType::Category {
        return Ok(Values::Category(without_missing(texts)));
    }
    let row_of = |level: usize| texts.codes.iter().position(|&code| code as usize == level).unwrap_or(0);
    if let Some(wrong) = cells.iter().position(|cell| cell.kind().is_some_and(|other| other != kind)) {
        return Err((row_of(wrong), declared.unwrap_or(kind).refuses(&texts.levels[wrong])));
    }
    if let Some(open) = cells.iter().position(|cell| matches!(cell, Cell::OpenTime(_))) {
        let fit =
            cells.iter().fold([true; 2], |fit, cell| if let Cell::OpenTime(o) = cell { both(fit, *o) } else { fit });
        let found = ordered(fit, declared).map_err(|message| (row_of(open), message))?;
        return from_texts(texts, Some(found));
    }
    let cells = texts.codes.iter().map(|&code| cells.get(code as usize).copied().unwrap_or(Cell::Missing));
    Ok(match kind {
        ColumnType::Boolean => Values::Boolean(cells.map(Cell::boolean).collect()),
        ColumnType::Time => Values::Time(Times { micros: cells.map(Cell::time).collect(), order }),
        _ => Values::Number(cells.map(Cell::number).collect()),
    })
}

/// Why texts of which most are dates, each for itself, are no times.
pub(crate) fn why_no_times(texts: &Categories) -> Option<String> {
    let orders: Vec<[bool; 2]> = texts.levels.iter().map(|level| readable_orders(level)).collect();
    let others: Vec<usize> = (0..orders.len()).filter(|&level| orders[level] == [false; 2]).collect();
    match others.first() {
        None => ordered(orders.into_iter().fold([true; 2], both), Some(ColumnType::Time)).err(),
        Some(&other) if 2 * others.len() < orders.len() => Some(format!("{:?} is not a date", texts.levels[other])),
        Some(_) => None,
    }
}

/// The texts with those that stand for a missing one taken out.
fn without_missing(texts: Categories) -> Categories {
    let mut kept = 0;
    let is_missing: Vec<bool> = texts.levels.iter().map(|level| is_missing(level)).collect();
    let new_code = is_missing.iter().map(|&missing| {
        kept += u32::from(!missing);
        if missing { Categories::MISSING } else { kept - 1 }
    });
    let new_code: Vec<u32> = new_code.collect();
    let recode = |code: u32| new_code.get(code as usize).copied().unwrap_or(Categories::MISSING);
    let levels = texts.levels.into_iter().zip(is_missing).filter(|(_, missing)| !missing).map(|(level, _)| level);
    Categories { codes: texts.codes.into_iter().map(recode).collect(), levels: levels.collect() }
}

/// Values of any kind as text.
pub(crate) fn as_category(values: &Values) -> Values {
    let mut texts = CategoriesBuilder::default();
    (0..values.len()).for_each(|row| texts.push(values.text(row).as_deref()));
    Values::Category(texts.finish())
}
