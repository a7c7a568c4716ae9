//! What was measured, line by line and server by server, and how it is printed.

use super::statistics::median;

/// What a number counts. It decides which is better, more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Operations in a second: more is better.
    PerSecond,
    /// Milliseconds: less is better.
    Milliseconds,
    /// Seconds: less is better.
    Seconds,
    /// Megabytes: less is better.
    Megabytes,
    /// Kilobytes: less is better.
    Kilobytes,
}

impl Unit {
    fn sign(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Megabytes => "MB",
            Self::Kilobytes => "kB",
        }
    }
}

/// What one server reached in one line: a number for each round, over so many samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    rounds: Vec<f64>,
    samples: usize,
}

/// One kind of number, for every server.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) key: String,
    what: String,
    unit: Unit,
    cells: Vec<Cell>,
}

/// All lines; the columns are the servers, the stock server first where it takes part.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    lines: Vec<Line>,
}

/// A server's column.
pub(super) struct Column {
    pub(super) title: String,
    pub(super) is_stock: bool,
    /// Whether the server cannot take part; the title says why.
    pub(super) is_absent: bool,
}

impl Table {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        Self { columns, lines: Vec::new() }
    }

    /// Adds what one round gave.
    pub(super) fn add(
        &mut self,
        key: &str,
        what: &str,
        unit: Unit,
        column: usize,
        value: f64,
        samples: usize,
    ) {
        let width = self.columns.len();
        let at = self.lines.iter().position(|line| line.key == key).unwrap_or_else(|| {
            let cells = vec![Cell::default(); width];
            self.lines.push(Line { key: key.to_owned(), what: what.to_owned(), unit, cells });
            self.lines.len() - 1
        });
        let cell = &mut self.lines[at].cells[column];
        cell.rounds.push(value);
        cell.samples += samples;
    }

    /// Returns the median of a line's rounds in a column.
    pub(super) fn value(&self, key: &str, column: usize) -> Option<f64> {
        median(&self.lines.iter().find(|line| line.key == key)?.cells[column].rounds)
    }

    /// Returns how many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns the lines from this one on, with their head.
    pub(super) fn text_from(&self, line: usize) -> String {
        let (head, rows) = self.cells();
        aligned(&head, &rows[line..])
    }

    /// Returns head and rows, every cell as text.
    pub(super) fn cells(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let stock = self.columns.iter().position(|column| column.is_stock);
        let mut head = vec!["what".to_owned()];
        for column in &self.columns {
            head.push(column.title.clone());
            if !column.is_stock && stock.is_some() && !column.is_absent {
                head.push("better by".to_owned());
            }
        }
        head.push("rounds; samples".to_owned());
        (head, self.lines.iter().map(|line| self.row(line, stock)).collect())
    }

    fn row(&self, line: &Line, stock: Option<usize>) -> Vec<String> {
        let mut row = vec![format!("{} ({})", line.what, line.unit.sign())];
        let stock = stock.map(|at| median(&line.cells[at].rounds));
        for (column, cell) in self.columns.iter().zip(&line.cells) {
            let value = median(&cell.rounds);
            row.push(value.map_or_else(|| "–".to_owned(), number));
            if let (false, Some(stock), false) = (column.is_stock, stock, column.is_absent) {
                row.push(match (stock, value) {
                    (Some(stock), Some(value)) => format!("{} ×", number(better_by(line.unit, stock, value))),
                    _ => "–".to_owned(),
                });
            }
        }
        let rounds = line.cells.iter().map(|cell| cell.rounds.len()).max().unwrap_or(0);
        let samples = line.cells.iter().filter(|cell| cell.samples > 0).map(|cell| cell.samples);
        let (least, most) = (samples.clone().min().unwrap_or(0), samples.max().unwrap_or(0));
        row.push(match least == most {
            true => format!("{rounds}; {least}"),
            false => format!("{rounds}; {least}–{most}"),
        });
        row
    }
}

/// Returns how many times better a value is than the stock server's; below 1 it is worse.
fn better_by(unit: Unit, stock: f64, value: f64) -> f64 {
    match unit {
        Unit::PerSecond => value / stock,
        Unit::Milliseconds | Unit::Seconds | Unit::Megabytes | Unit::Kilobytes => stock / value,
    }
}

/// Returns a number with three significant digits.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "–".to_owned(),
        size if size >= 1000.0 => thousands(value.round() as i64),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Returns a whole number with its thousands apart.
pub(super) fn thousands(value: i64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns the table with columns in line, readable as it is and as Markdown.
pub(crate) fn aligned(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = std::iter::once(head).chain(rows.iter().map(Vec::as_slice));
        cells.map(|cells| cells[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().enumerate().map(|(column, width)| match column {
        0 => "-".repeat(*width),
        _ => format!("{}:", "-".repeat(width - 1)),
    });
    let rule = format!("| {} |\n", rule.collect::<Vec<_>>().join(" | "));
    let rows = rows.iter().map(|cells| line(cells));
    line(head) + &rule + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &str, is_stock: bool, is_absent: bool) -> Column {
        Column { title: title.to_owned(), is_stock, is_absent }
    }

    #[test]
    fn ratio_says_how_many_times_better_whatever_the_unit() {
        let mut table = Table::new(vec![column("stock", true, false), column("ours", false, false)]);
        for (server, rate, time) in [(0, 100.0, 20.0), (1, 250.0, 5.0)] {
            table.add("rate", "fetches", Unit::PerSecond, server, rate, 10);
            table.add("time", "a push", Unit::Milliseconds, server, time, 10 + server);
        }
        let (head, rows) = table.cells();
        assert_eq!(head, ["what", "stock", "ours", "better by", "rounds; samples"]);
        assert_eq!(rows[0], ["fetches (/s)", "100", "250", "2.50 ×", "1; 10"]);
        assert_eq!(rows[1], ["a push (ms)", "20.0", "5.00", "4.00 ×", "1; 10–11"]);
    }

    #[test]
    fn cell_is_the_median_of_its_rounds() {
        let mut table = Table::new(vec![column("ours", false, false)]);
        for value in [3.0, 100.0, 2.0] {
            table.add("k", "w", Unit::Seconds, 0, value, 4);
        }
        assert_eq!(table.value("k", 0), Some(3.0));
        assert_eq!(table.cells().1, [["w (s)", "3.00", "3; 12"]]);
    }

    #[test]
    fn absent_server_and_missing_number_are_dashes() {
        let columns =
            vec![column("stock", true, false), column("ours", false, false), column("d", false, true)];
        let mut table = Table::new(columns);
        table.add("k", "w", Unit::Seconds, 1, 1.0, 1);
        assert_eq!(table.cells().1, [["w (s)", "–", "1.00", "–", "–", "1; 1"]]);
    }

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.1234, 9.999, 12.34, 99.97, 1234.5, 1_234_567.0, f64::NAN].map(number);
        assert_eq!(shown, ["0.12", "10.0", "12.3", "100", "1,235", "1,234,567", "–"]);
    }

    #[test]
    fn columns_are_in_line() {
        let head = ["what".to_owned(), "n".to_owned()];
        let rows = [vec!["a – b".to_owned(), "1".to_owned()], vec!["c".to_owned(), "100".to_owned()]];
        let expected = "| what  |   n |\n| ----- | --: |\n| a – b |   1 |\n| c     | 100 |\n";
        assert_eq!(aligned(&head, &rows), expected);
    }
}
