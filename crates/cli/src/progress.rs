//! Prints steps as they happen. On a terminal, a live line shows the current step.

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
use crate::terminal::Terminal;

/// The label of [`Observer::discovering`].
const DISCOVERING: &str = "reading the current state";

/// How often the live line is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// The columns of the spinner before the live line, and of the `^C` that a terminal prints after it.
const RESERVED: usize = 5;

/// Prints steps to one terminal, and records them.
pub(crate) struct Progress {
    terminal: Terminal,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<(ProgressBar, Arc<Mutex<Activity>>)>,
    step: Option<Step>,
    last_detail: Option<String>,
    ended: Vec<StepReport>,
}

/// What the live line shows.
struct Activity {
    what: &'static str,
    started: Instant,
    waiting: Option<(Waiting, Instant)>,
}

impl Activity {
    fn line(&self, width: usize) -> String {
        let waiting =
            self.waiting.as_ref().map(|(waiting, since)| (waiting, waiting.wait.saturating_sub(since.elapsed())));
        live_line(self.what, self.started.elapsed(), waiting, width)
    }
}

impl Progress {
    /// Prints to `terminal`.
    pub(crate) fn on(terminal: Terminal) -> Self {
        Self { terminal, state: Mutex::default() }
    }

    /// Shows an activity other than a step, until the next one begins or [`Progress::pause`] is called.
    pub(crate) fn begin(&self, what: &'static str) {
        let live = self.terminal.is_terminal().then(|| spinner(&self.terminal, what));
        let mut state = self.state();
        state.pause();
        state.live = live;
    }

    /// Clears the live line.
    pub(crate) fn pause(&self) {
        self.state().pause();
    }

    /// The current step, and the completed ones.
    pub(crate) fn snapshot(&self) -> (Option<Step>, Vec<StepReport>) {
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
        self.begin(DISCOVERING);
    }

    fn step_began(&self, step: Step) {
        self.begin(labels::step(step));
        self.state().step = Some(step);
    }

    fn waiting(&self, waiting: &Waiting) {
        let state = self.state();
        if let Some((_, activity)) = &state.live {
            lock(activity).waiting = Some((waiting.clone(), Instant::now()));
        } else {
            let what = state.step.map_or(DISCOVERING, labels::step);
            self.terminal.write_lines(&[format!("… {what}: {}", retry(waiting, waiting.wait))]);
        }
    }

    fn step_ended(&self, report: &StepReport) {
        let mut state = self.state();
        state.pause();
        state.step = None;
        // Consecutive steps with the same reason show it once.
        let repeated = report.detail.is_some() && report.detail == state.last_detail;
        self.terminal.write_lines(&ended_lines(report, !repeated, self.terminal.width()));
        state.last_detail.clone_from(&report.detail);
        state.ended.push(report.clone());
    }
}

fn lock(activity: &Mutex<Activity>) -> MutexGuard<'_, Activity> {
    activity.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spinner(terminal: &Terminal, what: &'static str) -> (ProgressBar, Arc<Mutex<Activity>>) {
    let activity = Arc::new(Mutex::new(Activity { what, started: Instant::now(), waiting: None }));
    let (shown, on) = (Arc::clone(&activity), terminal.clone());
    let line = move |_: &ProgressState, out: &mut dyn Write| {
        let room = on.width().saturating_sub(RESERVED);
        // Writing to a string cannot fail.
        let _ = out.write_str(&lock(&shown).line(room));
    };
    let template = if terminal.is_colored() { "{spinner:.cyan} {line}" } else { "{spinner} {line}" };
    let bar = ProgressBar::with_draw_target(
        None,
        ProgressDrawTarget::term_like_with_hz(Box::new(LiveTerm(terminal.term())), 20),
    );
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("line", line));
    }
    bar.enable_steady_tick(TICK);
    (bar, activity)
}

/// The live line without its spinner. If it is too long, the reason is truncated, so that the retry time is visible.
fn live_line(what: &str, elapsed: Duration, waiting: Option<(&Waiting, Duration)>, width: usize) -> String {
    // The time has tenths of a second, because the line is redrawn ten times a second.
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
    // The reason matters more than the name of the call.
    let why = waiting.because.split_once(" failed: ").map_or(waiting.because.as_str(), |(_, why)| why);
    let shorter = Waiting { because: cut(why, room), ..waiting.clone() };
    cut(&format!("{head}: {}", retry(&shorter, left)), width)
}

/// Why a call is retried, and when.
fn retry(waiting: &Waiting, left: Duration) -> String {
    let Waiting { attempts, because, .. } = waiting;
    let when = if left.is_zero() { "retrying now".to_owned() } else { format!("retry in {:.1} s", left.as_secs_f64()) };
    format!("attempt {attempts}: {because}; {when}")
}

/// The lines of a completed step. A detail that does not fit on the line is printed below it.
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
        labels::step_outcome(report.step, report.outcome)
    );
    let Some(detail) = report.detail.as_deref().filter(|_| with_detail) else { return wrap("", &head, 2, width) };
    let whole = format!("{head}: {detail}");
    if measure_text_width(&whole) <= width {
        // Line breaks are removed, because they would make the detail look like another step.
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
    fn live_line_shows_step_time_and_reason_of_a_retry() {
        let second = Duration::from_millis(1234);
        assert_eq!(live_line("role", second, None, 75), "role (1.2 s)");
        assert_eq!(
            live_line("role", second, Some((&waiting("Throttling: Rate exceeded"), Duration::from_millis(1500))), 75),
            "role (1.2 s): attempt 3: Throttling: Rate exceeded; retry in 1.5 s"
        );
        assert_eq!(
            live_line("access to AWS", second, Some((&waiting(LONG), Duration::ZERO)), 75),
            "access to AWS (1.2 s): attempt 3: InvalidIdentityPoolConfigu…; retrying now"
        );
    }

    #[test]
    fn live_line_fits_at_any_width() {
        for width in 1..200 {
            let line = live_line("access to AWS", Duration::ZERO, Some((&waiting(LONG), Duration::ZERO)), width);
            assert!(measure_text_width(&line) <= width, "{width}: {line}");
        }
    }

    #[test]
    fn completed_step_is_one_line_with_time_and_attempts() {
        assert_eq!(ended_lines(&report(Outcome::Created, 1, None), true, 80), ["✓ role created (6 ms)"]);
        assert_eq!(
            ended_lines(&report(Outcome::Unchanged, 4, None), true, 80),
            ["✓ role unchanged (6 ms, 4 attempts)"]
        );
        assert_eq!(
            ended_lines(&report(Outcome::Retained, 1, Some("as the spec\nsays")), true, 80),
            ["✓ role retained (6 ms): as the spec says"]
        );
        assert_eq!(ended_lines(&report(Outcome::Retained, 1, Some("again")), false, 80), ["✓ role retained (6 ms)"]);
    }

    #[test]
    fn long_detail_goes_below_the_step_only_on_a_terminal() {
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
