//! The chart: the minimum start of each program as a bar on a logarithmic scale.

use std::fmt::Write as _;

use super::{Measurement, RowReport, min, table};

/// Colors for light and for dark pages. The background is drawn, because the page can have the other one.
const STYLE: &str = "text{fill:#1f2328}.page{fill:#fff}.grid{stroke:#d1d9e0}.own{fill:#0969da}.peer{fill:#8c959f}\
    .head{font-weight:600}@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117}.grid{stroke:#3d444d}\
    .own{fill:#4493f8}.peer{fill:#656c76}}";

const WIDTH: f64 = 760.0;
/// The left and right ends of the bars.
const SCALE: (f64, f64) = (210.0, 690.0);
const LINE: f64 = 22.0;
/// The ends of the scale in powers of ten of a millisecond.
const DECADES: (i32, i32) = (-1, 3);

/// Draws the rows that have a start of their own.
pub(super) fn of(rows: &[RowReport]) -> String {
    let mut body = String::new();
    let mut y = 48.0;
    for row in rows.iter().filter(|row| row.charted) {
        text(&mut body, 16.0, y, "head", row.name);
        y += LINE;
        for (index, program) in row.programs.iter().enumerate() {
            bar(&mut body, y, if index == 0 { "own" } else { "peer" }, program);
            y += LINE;
        }
        y += LINE / 2.0;
    }
    let mut grid = String::new();
    for decade in DECADES.0..=DECADES.1 {
        let (x, bottom) = (position(10f64.powi(decade)), y - LINE);
        // Writing to a string never fails.
        let _: std::fmt::Result = write!(grid, r#"<path class="grid" d="M{x:.1} 32V{bottom}"/>"#);
        text(&mut grid, x - 8.0, 24.0, "", &format!("{} ms", 10f64.powi(decade)));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" font-family=\"system-ui,sans-serif\" \
         font-size=\"13\" role=\"img\" aria-label=\"Start of each program in milliseconds, minimum, logarithmic scale\">\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{y}\" rx=\"6\"/>\n{grid}\n{body}</svg>\n"
    )
}

fn bar(body: &mut String, y: f64, class: &str, program: &Measurement) {
    text(body, 28.0, y, "", program.program);
    let Some(start) = min(&program.start) else { return };
    let (left, end) = (SCALE.0, position(start));
    let (top, width) = (y - 11.0, end - left);
    let _: std::fmt::Result =
        write!(body, r#"<rect class="{class}" x="{left}" y="{top}" width="{width:.1}" height="14" rx="2"/>"#);
    text(body, end + 6.0, y, "", &table::short(start));
}

fn text(body: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let _: std::fmt::Result = writeln!(body, r#"<text class="{class}" x="{x:.1}" y="{y}">{text}</text>"#);
}

/// The position of a time in milliseconds on the scale.
fn position(milliseconds: f64) -> f64 {
    let (first, last) = (f64::from(DECADES.0), f64::from(DECADES.1));
    let share = (milliseconds.log10().clamp(first, last) - first) / (last - first);
    SCALE.0 + share * (SCALE.1 - SCALE.0)
}
