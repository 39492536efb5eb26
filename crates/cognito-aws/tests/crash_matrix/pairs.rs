//! Two faults, at random: in one run, or one each in two.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use testkit::fault_proxy::Fault;

use super::world::{Action, World};

/// How many pairs.
const PAIRS: usize = 500;

#[tokio::test]
async fn after_any_two_faults_one_more_run_sets_it_right() {
    let world = World::start().await;
    let calls = world.case().await.calls_of(Action::Apply).await;
    let seed = seed();
    println!("seed {seed}; the same again: POOLKEEPER_TEST_SEED={seed}");
    // Only its numbers: proptest's own runner knows no async, and these cases run side by side.
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let fault = || (1..=calls, proptest::sample::select(&Fault::ALL[..]));
    let pairs = (fault(), fault(), proptest::bool::ANY);
    let pairs: Vec<_> = (0..PAIRS).map(|_| pairs.new_tree(&mut runner).unwrap().current()).collect();
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(pairs, async |(first, second, together)| {
            let case = world.case().await;
            let told = format!("seed {seed}: {first:?}, {second:?}, together: {together}");
            if together {
                case.run_with(Action::Apply, &[first, second]).await;
            } else {
                case.run_with(Action::Apply, &[first]).await;
                case.run_with(Action::Apply, &[second]).await;
            }
            case.run(Action::Apply).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_converged(&told).await;
            case.run_with(Action::Destroy, &[first, second]).await;
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_empty(&told).await;
        })
        .await;
    println!("pairs: {cases} cases in {:.0} s", began.elapsed().as_secs_f64());
}

/// Another one each time, unless one is asked for.
#[expect(clippy::disallowed_methods, reason = "a test takes its seed from whoever wants to see its failure again")]
fn seed() -> u64 {
    let given = std::env::var("POOLKEEPER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_secs())
}
