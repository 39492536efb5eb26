//! The tables of a load.

use std::fmt;
use std::time::Duration;

use super::ledger::Total;
use super::quota::Usage;
use crate::report::table::{Style, short, table};

/// The table of requests to the API.
pub(super) fn requests(totals: &[(&str, Total)], elapsed: Duration) -> impl fmt::Display + use<> {
    let header = ["requests", "planned", "finished", "sent", "429", "time", "finished per second"];
    let rows = totals.iter().map(|(name, total)| {
        let Total { requests, finished, sent, throttled } = total;
        let counts = [requests, finished, sent, throttled].map(u32::to_string);
        let rates = [format!("{:.1} s", elapsed.as_secs_f64()), short(per_second(*finished, elapsed))];
        [(*name).to_owned()].into_iter().chain(counts).chain(rates)
    });
    table(&header, 1, rows, Style::Terminal)
}

/// The table of calls to Cognito by quota.
pub(super) fn quotas(usage: &[Usage], elapsed: Duration) -> impl fmt::Display + use<> {
    let header = ["quota", "sent", "throttled", "answered per second", "quota per second", "share"];
    let rows = usage.iter().map(|usage| {
        let Usage { name, rate, sent, answered } = usage;
        let rate_used = per_second(*answered, elapsed);
        let share = format!("{:.0} %", 100.0 * rate_used / f64::from(*rate));
        [name.clone(), sent.to_string(), (sent - answered).to_string(), short(rate_used), rate.to_string(), share]
    });
    table(&header, 1, rows, Style::Terminal)
}

fn per_second(count: u32, elapsed: Duration) -> f64 {
    f64::from(count) / elapsed.as_secs_f64().max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_show_rates_and_the_share_of_each_quota() {
        let usage = Usage { name: "UserRead".to_owned(), rate: 120, sent: 900, answered: 600 };
        let total = Total { requests: 1_000, finished: 500, sent: 800, throttled: 300 };
        let elapsed = Duration::from_secs(10);
        insta::assert_snapshot!(format!("{}\n{}", requests(&[("reads", total)], elapsed), quotas(&[usage], elapsed)));
    }
}
