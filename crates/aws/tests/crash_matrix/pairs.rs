//! Injects two random faults: both in one run, or one in each of two runs.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::harness::{Action, FAULTS, Harness, Planned};

/// The number of pairs in each test.
const PAIRS: usize = 250;

#[tokio::test]
async fn a_second_run_converges_after_two_faults_in_one_run() {
    let harness = Harness::start().await;
    let seed = seed();
    let pairs = pairs(&harness, seed).await;
    let began = tokio::time::Instant::now();
    let cases = harness
        .for_each(pairs, async |[first, second]| {
            let case = harness.case().await;
            let context = format!("seed {seed}: {first:?} and {second:?}");
            case.run_with(Action::Apply, &[first, second]).await;
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_converged(&context).await;
            case.run_with(Action::Destroy, &[first, second]).await;
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_empty(&context).await;
        })
        .await;
    println!("two faults in one run: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

#[tokio::test]
async fn a_third_run_converges_after_one_fault_in_each_of_two_runs() {
    let harness = Harness::start().await;
    let seed = seed();
    let pairs = pairs(&harness, seed).await;
    let began = tokio::time::Instant::now();
    let cases = harness
        .for_each(pairs, async |[first, second]| {
            let case = harness.case().await;
            let context = format!("seed {seed}: {first:?}, then {second:?}");
            case.run_with(Action::Apply, &[first]).await;
            case.run_with(Action::Apply, &[second]).await;
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_converged(&context).await;
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
        })
        .await;
    println!("a fault each in two runs: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

/// Returns random pairs from this seed, among all calls of `apply`.
async fn pairs(harness: &Harness, seed: u64) -> Vec<[Planned; 2]> {
    println!("to repeat these pairs: POOLKEEPER_TEST_SEED={seed}");
    let calls = harness.case().await.calls_of(Action::Apply).await;
    // Use only proptest's random values, because its runner does not support async and these cases run concurrently.
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let fault = || (1..=calls, proptest::sample::select(&FAULTS[..]));
    let pair = (fault(), fault());
    (0..PAIRS).map(|_| pair.new_tree(&mut runner).unwrap().current().into()).collect()
}

/// Returns `POOLKEEPER_TEST_SEED`, or another seed each time.
#[expect(clippy::disallowed_methods, reason = "a test reads its seed to reproduce a failure")]
fn seed() -> u64 {
    let given = std::env::var("POOLKEEPER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_secs())
}
