//! Two faults, at random: both in one run, or one each in two.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use testkit::fault_proxy::Fault;

use super::harness::{Action, Harness, Planned};

/// How many pairs of each kind.
const PAIRS: usize = 250;

#[tokio::test]
async fn after_any_two_faults_in_one_run_a_second_one_sets_it_right() {
    let world = Harness::start().await;
    let seed = seed();
    let pairs = pairs(&world, seed).await;
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(pairs, async |[first, second]| {
            let case = world.case().await;
            let told = format!("seed {seed}: {first:?} and {second:?}");
            case.run_with(Action::Apply, &[first, second]).await;
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_converged(&told).await;
            case.run_with(Action::Destroy, &[first, second]).await;
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_empty(&told).await;
        })
        .await;
    println!("two faults in one run: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

#[tokio::test]
async fn after_a_fault_each_in_two_runs_a_third_one_sets_it_right() {
    let world = Harness::start().await;
    let seed = seed();
    let pairs = pairs(&world, seed).await;
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(pairs, async |[first, second]| {
            let case = world.case().await;
            let told = format!("seed {seed}: {first:?}, then {second:?}");
            case.run_with(Action::Apply, &[first]).await;
            case.run_with(Action::Apply, &[second]).await;
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_converged(&told).await;
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
        })
        .await;
    println!("a fault each in two runs: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

/// From this seed, among all calls of `apply`.
async fn pairs(world: &Harness, seed: u64) -> Vec<[Planned; 2]> {
    println!("the same pairs again: POOLKEEPER_TEST_SEED={seed}");
    let calls = world.case().await.calls_of(Action::Apply).await;
    // Only proptest's numbers: its runner knows no async, and these cases run side by side.
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let fault = || (1..=calls, proptest::sample::select(&Fault::ALL[..]));
    let pair = (fault(), fault());
    (0..PAIRS).map(|_| pair.new_tree(&mut runner).unwrap().current().into()).collect()
}

/// Another one each time, unless one is asked for.
#[expect(clippy::disallowed_methods, reason = "a test takes its seed from whoever wants to see its failure again")]
fn seed() -> u64 {
    let given = std::env::var("POOLKEEPER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_secs())
}
