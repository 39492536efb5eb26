//! Recorded and measured values, and the tolerance of each quantity.

use std::fmt;

use crate::error::BenchError;
use crate::growth::CALLS;
use crate::report::table::{Style, table};

/// A compared quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// The size of the program in bytes.
    Size,
    /// Connections to AWS of one process.
    Connections,
    /// Instructions of a warm call.
    Instructions,
}

impl Quantity {
    fn name(self) -> String {
        match self {
            Self::Size => "size in bytes".to_owned(),
            Self::Connections => format!("connections of {} calls", CALLS.0),
            Self::Instructions => "instructions of a warm call".to_owned(),
        }
    }

    /// The list of the record, and the JSON pointer in its entries.
    pub(super) fn position(self) -> (&'static str, &'static str) {
        match self {
            Self::Size => ("programs", "/size/file"),
            Self::Connections => ("growth", "/connections/0"),
            Self::Instructions => ("programs", "/instructions/warm"),
        }
    }

    /// By how many percent a value can exceed the recorded value.
    fn tolerance(self) -> u64 {
        match self {
            Self::Size => 5,
            Self::Connections => 0,
            Self::Instructions => 10,
        }
    }
}

/// A recorded and a measured value.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) program: &'static str,
    pub(super) row: &'static str,
    pub(super) quantity: Quantity,
    pub(super) recorded: u64,
    pub(super) measured: u64,
}

impl Comparison {
    /// The maximum value.
    fn limit(&self) -> u64 {
        self.recorded.saturating_add(self.recorded.saturating_mul(self.quantity.tolerance()) / 100)
    }

    /// The change in tenths of a percent, such as `+1.5 %`.
    fn change(&self) -> String {
        let (recorded, measured) = (i128::from(self.recorded), i128::from(self.measured));
        if recorded == 0 {
            return if measured == 0 { "0.0 %".to_owned() } else { "–".to_owned() };
        }
        let tenths = (measured - recorded) * 1000 / recorded;
        let sign = match tenths {
            1.. => "+",
            0 => "",
            _ => "-",
        };
        let tenths = tenths.abs();
        format!("{sign}{}.{} %", tenths / 10, tenths % 10)
    }
}

/// Returns a table for a terminal.
pub(super) fn table_of(comparisons: &[Comparison]) -> impl fmt::Display + use<> {
    let header = ["program", "operation", "value", "recorded", "measured", "change", "tolerance"];
    let rows = comparisons.iter().map(|it| {
        // The size belongs to the program, not to an operation.
        let operation = if it.quantity == Quantity::Size { "" } else { it.row };
        let tolerance = format!("+{} %", it.quantity.tolerance());
        [
            it.program.to_owned(),
            operation.to_owned(),
            it.quantity.name(),
            it.recorded.to_string(),
            it.measured.to_string(),
            it.change(),
            tolerance,
        ]
    });
    table(&header, 3, rows, Style::Terminal)
}

/// Returns an error that names each value over its limit.
pub(super) fn check(comparisons: &[Comparison]) -> Result<(), BenchError> {
    let exceeded = comparisons.iter().filter(|it| it.measured > it.limit()).map(|it| {
        let Comparison { program, row, quantity, recorded, measured } = it;
        let (name, limit) = (quantity.name(), it.limit());
        format!("  {program}, {row}: {name}: {measured}, recorded {recorded}, at most {limit}")
    });
    let exceeded: Vec<_> = exceeded.collect();
    if exceeded.is_empty() { Ok(()) } else { Err(BenchError::Exceeded(exceeded.join("\n"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(quantity: Quantity, recorded: u64, measured: u64) -> Comparison {
        Comparison { program: "admin-api", row: "get a user", quantity, recorded, measured }
    }

    #[test]
    fn values_within_their_tolerance_and_smaller_values_pass() {
        check(&[
            comparison(Quantity::Size, 1000, 1050),
            comparison(Quantity::Size, 1000, 1),
            comparison(Quantity::Instructions, 1000, 1100),
            comparison(Quantity::Connections, 3, 3),
            comparison(Quantity::Connections, 0, 0),
        ])
        .unwrap();
    }

    #[test]
    fn error_names_every_value_over_its_limit() {
        let comparisons = [
            comparison(Quantity::Size, 1000, 1051),
            comparison(Quantity::Size, 1000, 1050),
            comparison(Quantity::Instructions, 1000, 1101),
            comparison(Quantity::Connections, 0, 1),
        ];
        let error = check(&comparisons).unwrap_err().to_string();
        let lines: Vec<_> = error.lines().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(
            lines,
            [
                "  admin-api, get a user: size in bytes: 1051, recorded 1000, at most 1050",
                "  admin-api, get a user: instructions of a warm call: 1101, recorded 1000, at most 1100",
                "  admin-api, get a user: connections of 1000 calls: 1, recorded 0, at most 0",
            ]
        );
    }

    #[test]
    fn change_is_signed_and_in_tenths_of_a_percent() {
        let change = |recorded, measured| comparison(Quantity::Size, recorded, measured).change();
        assert_eq!(change(1000, 1015), "+1.5 %");
        assert_eq!(change(1000, 985), "-1.5 %");
        assert_eq!(change(1000, 996), "-0.4 %");
        assert_eq!((change(1000, 1000), change(0, 0), change(0, 2)), ("0.0 %".into(), "0.0 %".into(), "–".into()));
    }
}
