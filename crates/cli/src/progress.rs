//! Shows an action as it happens: on a terminal one live line for the step under way, elsewhere (and for what has ended) plain lines.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::measure_text_width;
use domain::provision::{Observer, Outcome, Step, StepReport};
use domain::retry::Waiting;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::labels;
use crate::layout::{cut, wrap};
use crate::live_term::LiveTerm;
use crate::screen::Screen;

/// How often the live line is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Beside the live line: the spinner and a blank before it, and behind it the `^C` that a terminal shows.
const BESIDE: usize = 5;

/// Shows steps on one screen, and remembers them.
pub(crate) struct Progress {
    screen: Screen,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<(ProgressBar, Arc<Mutex<UnderWay>>)>,
    step: Option<Step>,
    last_detail: Option<String>,
    ended: Vec<StepReport>,
}

/// What is going on.
struct UnderWay {
    what: &'static str,
    began: Instant,
    waiting: Option<(Waiting, Instant)>,
}

impl UnderWay {
    fn line(&self, width: usize) -> String {
        let waiting =
            self.waiting.as_ref().map(|(waiting, since)| (waiting, waiting.wait.saturating_sub(since.elapsed())));
        live_line(self.what, self.began.elapsed(), waiting, width)
    }
}

impl Progress {
    /// Shows on `screen`.
    pub(crate) fn on(screen: Screen) -> Self {
        Self { screen, state: Mutex::default() }
    }

    /// Something that is no step goes on, until the next thing begins or [`Progress::pause`].
    pub(crate) fn begin(&self, what: &'static str) {
        let live = self.screen.is_terminal().then(|| spinner(&self.screen, what));
        let mut state = self.state();
        state.pause();
        state.live = live;
    }

    /// Takes the live line away.
    pub(crate) fn pause(&self) {
        self.state().pause();
    }

    /// The step under way, and those that have ended.
    pub(crate) fn so_far(&self) -> (Option<Step>, Vec<StepReport>) {
        let state = self.state();
        (state.step, state.ended.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pause(&mut self) {
        if let Some((bar, _)) = self.live.take() {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn discovering(&self) {
        self.begin("looking at what is there");
    }

    fn step_began(&self, step: Step) {
        self.begin(labels::step(step));
        self.state().step = Some(step);
    }

    fn waiting(&self, waiting: &Waiting) {
        let state = self.state();
        if let Some((_, under_way)) = &state.live {
            lock(under_way).waiting = Some((waiting.clone(), Instant::now()));
        } else {
            let what = state.step.map_or("looking at what is there", labels::step);
            self.screen.say(&[format!("… {what}: {}", retry(waiting, waiting.wait))]);
        }
    }

    fn step_ended(&self, report: &StepReport) {
        let mut state = self.state();
        state.pause();
        state.step = None;
        // Four things left in place for the same reason need that reason once.
        let repeated = report.detail.is_some() && report.detail == state.last_detail;
        self.screen.say(&ended_lines(report, !repeated, self.screen.width()));
        state.last_detail.clone_from(&report.detail);
        state.ended.push(report.clone());
    }
}

fn lock(under_way: &Mutex<UnderWay>) -> MutexGuard<'_, UnderWay> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spinner(screen: &Screen, what: &'static str) -> (ProgressBar, Arc<Mutex<UnderWay>>) {
    let under_way = Arc::new(Mutex::new(UnderWay { what, began: Instant::now(), waiting: None }));
    let (shown, on) = (Arc::clone(&under_way), screen.clone());
    let line = move |_: &ProgressState, out: &mut dyn Write| {
        let room = on.width().saturating_sub(BESIDE);
        // The line goes into a string, which takes everything.
        let _ = out.write_str(&lock(&shown).line(room));
    };
    let template = if screen.is_colored() { "{spinner:.cyan} {line}" } else { "{spinner} {line}" };
    let bar = ProgressBar::with_draw_target(
        None,
        ProgressDrawTarget::term_like_with_hz(Box::new(LiveTerm(screen.term())), 20),
    );
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("line", line));
    }
    bar.enable_steady_tick(TICK);
    (bar, under_way)
}

/// The live line without its spinner, cut so that its end, which says when it goes on, can be seen.
fn live_line(what: &str, elapsed: Duration, waiting: Option<(&Waiting, Duration)>, width: usize) -> String {
    // In tenths from the beginning: it is drawn ten times a second.
    let elapsed =
        if elapsed.as_secs() < 10 { format!("{:.1} s", elapsed.as_secs_f64()) } else { labels::duration(elapsed) };
    let head = format!("{what} ({elapsed})");
    let Some((waiting, left)) = waiting else { return cut(&head, width) };
    let whole = format!("{head}: {}", retry(waiting, left));
    let too_wide = measure_text_width(&whole).saturating_sub(width);
    if too_wide == 0 {
        return whole;
    }
    let room = measure_text_width(&waiting.because).saturating_sub(too_wide).max(1);
    // Which call it was says less than why it failed.
    let why = waiting.because.split_once(" failed: ").map_or(waiting.because.as_str(), |(_, why)| why);
    let shorter = Waiting { because: cut(why, room), ..waiting.clone() };
    cut(&format!("{head}: {}", retry(&shorter, left)), width)
}

/// What is waited for, and until when.
fn retry(waiting: &Waiting, left: Duration) -> String {
    let Waiting { attempts, because, .. } = waiting;
    let again = if left.is_zero() { "again now".to_owned() } else { format!("again in {:.1} s", left.as_secs_f64()) };
    format!("attempt {attempts}: {because}; {again}")
}

/// The final line of a step. Its detail stands behind it where it fits, and below it where it does not.
fn ended_lines(report: &StepReport, with_detail: bool, width: usize) -> Vec<String> {
    let sign = match report.outcome {
        Outcome::Failed => '✗',
        Outcome::NotProved => '!',
        _ => '✓',
    };
    let attempts = if report.attempts > 1 { format!(", {} attempts", report.attempts) } else { String::new() };
    let elapsed = labels::duration(Duration::from_millis(report.elapsed_ms));
    let head = format!(
        "{sign} {} {} ({elapsed}{attempts})",
        labels::step(report.step),
        labels::ending(report.step, report.outcome)
    );
    let Some(detail) = report.detail.as_deref().filter(|_| with_detail) else { return wrap("", &head, 2, width) };
    let whole = format!("{head}: {detail}");
    if measure_text_width(&whole) <= width {
        // A detail with a line break in it must not look like two steps.
        return vec![whole.split_whitespace().collect::<Vec<_>>().join(" ")];
    }
    let mut lines = wrap("", &format!("{head}:"), 2, width);
    lines.extend(wrap("    ", detail, 4, width));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::UNLIMITED;

    fn waiting(because: &str) -> Waiting {
        Waiting { attempts: 3, wait: Duration::from_secs(2), because: because.to_owned() }
    }

    fn report(outcome: Outcome, attempts: u32, detail: Option<&str>) -> StepReport {
        StepReport { step: Step::Role, outcome, attempts, elapsed_ms: 6, detail: detail.map(str::to_owned) }
    }

    const LONG: &str = "GetCredentialsForIdentity failed: InvalidIdentityPoolConfigurationException: Invalid identity pool \
                        configuration. Check assigned IAM roles for this pool.";

    #[test]
    fn the_live_line_says_what_how_long_and_why_it_waits() {
        let second = Duration::from_millis(1234);
        assert_eq!(live_line("role", second, None, 75), "role (1.2 s)");
        assert_eq!(
            live_line("role", second, Some((&waiting("Throttling: Rate exceeded"), Duration::from_millis(1500))), 75),
            "role (1.2 s): attempt 3: Throttling: Rate exceeded; again in 1.5 s"
        );
        assert_eq!(
            live_line("access to AWS", second, Some((&waiting(LONG), Duration::ZERO)), 75),
            "access to AWS (1.2 s): attempt 3: InvalidIdentityPoolConfigurat…; again now"
        );
    }

    #[test]
    fn the_live_line_fits_at_any_width() {
        for width in 1..200 {
            let line = live_line("access to AWS", Duration::ZERO, Some((&waiting(LONG), Duration::ZERO)), width);
            assert!(measure_text_width(&line) <= width, "{width}: {line}");
        }
    }

    #[test]
    fn an_ended_step_is_one_line_with_its_time_and_attempts() {
        assert_eq!(ended_lines(&report(Outcome::Created, 1, None), true, 80), ["✓ role created (6 ms)"]);
        assert_eq!(
            ended_lines(&report(Outcome::Unchanged, 4, None), true, 80),
            ["✓ role unchanged (6 ms, 4 attempts)"]
        );
        assert_eq!(
            ended_lines(&report(Outcome::Retained, 1, Some("as the spec\nsays")), true, 80),
            ["✓ role left in place (6 ms): as the spec says"]
        );
        assert_eq!(
            ended_lines(&report(Outcome::Retained, 1, Some("again")), false, 80),
            ["✓ role left in place (6 ms)"]
        );
    }

    #[test]
    fn a_long_detail_stands_below_on_a_terminal_and_behind_in_a_pipe() {
        let failed = report(Outcome::Failed, 2, Some(LONG));
        assert_eq!(
            ended_lines(&failed, true, 80),
            [
                "✗ role failed (6 ms, 2 attempts):",
                "    GetCredentialsForIdentity failed: InvalidIdentityPoolConfigurationException:",
                "    Invalid identity pool configuration. Check assigned IAM roles for this pool.",
            ]
        );
        assert_eq!(ended_lines(&failed, true, UNLIMITED), [format!("✗ role failed (6 ms, 2 attempts): {LONG}")]);
    }
}
