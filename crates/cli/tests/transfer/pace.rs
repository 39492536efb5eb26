//! The rate of calls, measured with tokio's paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::SystemClock;
use domain::retry::Clock;
use domain::transfer::{ImportId, Importer, Pace, Rates};
use domain::user_pool::error::Reason;
use domain::user_pool::quota::Category;
use futures::StreamExt as _;
use time::OffsetDateTime;

use crate::{ID, NEW_ONLY, lines, paced, pool};

/// The time in which `rows` are imported.
async fn import_time(rates: &Rates, rows: &str, fault: impl FnOnce(&testkit::in_memory::InMemoryPool)) -> Duration {
    let pool = pool();
    fault(&pool);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_now(Duration::from_hours(24)));
    let pace = Pace::new(Arc::clone(&clock), rates);
    let directory = pool.directory();
    let import = (ID.parse::<ImportId>().unwrap(), OffsetDateTime::UNIX_EPOCH);
    let importer = Importer::start(paced(&directory, &pace, clock.as_ref()), import, NEW_ONLY).await.unwrap();
    let started = clock.now();
    let results: Vec<_> = importer.import_all(lines(rows).into_iter()).collect().await;
    assert!(results.iter().all(Result::is_ok) && results.len() == rows.lines().count());
    clock.now().saturating_sub(started)
}

fn rows(count: usize, rest: &str) -> String {
    (0..count).map(|number| format!("{{\"username\": \"user-{number}\"{rest}}}")).collect::<Vec<_>>().join("\n")
}

/// 1,000 users at 50 creations, or 30 passwords, per second.
#[tokio::test(start_paused = true)]
async fn an_import_takes_as_long_as_its_scarcest_quota_allows() {
    for (rest, share, expected) in [
        (r#", "password": {"temporary": "Correct-1"}"#, 1.0, 20.0),
        (r#", "password": {"permanent": "Correct-1"}"#, 1.0, 33.3),
        (r#", "password": {"temporary": "Correct-1"}, "groups": ["editors"]"#, 1.0, 40.0),
        (r#", "password": {"temporary": "Correct-1"}"#, 0.5, 40.0),
    ] {
        let took = import_time(&Rates::default().share(share), &rows(1000, rest), |_| ()).await.as_secs_f64();
        assert!((expected * 0.99..=expected * 1.05).contains(&took), "{rest}: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_raised_quota_shortens_the_import() {
    let mut rates = Rates::default();
    rates.set(Category::UserCreation, 500);
    let took = import_time(&rates, &rows(1000, r#", "password": {"temporary": "Correct-1"}"#), |_| ()).await;
    assert!((1.9..2.2).contains(&took.as_secs_f64()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_slows_the_import_down_for_a_while() {
    let text = rows(1000, r#", "password": {"temporary": "Correct-1"}"#);
    let once = import_time(&Rates::default(), &text, |pool| pool.fail("create", 10, Reason::Throttled)).await;
    assert!((20.1..21.0).contains(&once.as_secs_f64()), "{once:?}");
    let often = import_time(&Rates::default(), &text, |pool| {
        for nth in 1..20 {
            pool.fail("create", nth * 50, Reason::Throttled);
        }
    })
    .await;
    assert!((22.0..40.0).contains(&often.as_secs_f64()), "{often:?}");
}

/// No second has more calls than the quota, so that a token bucket of one second rejects none.
#[tokio::test(start_paused = true)]
async fn calls_are_spaced_evenly() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_now(Duration::from_hours(1)));
    let starts = Arc::new(Mutex::new(Vec::new()));
    let pool = pool();
    let record =
        |pool: &testkit::in_memory::InMemoryPool| pool.calls().iter().filter(|call| **call == "create").count();
    let pace = Pace::new(Arc::clone(&clock), &Rates::default());
    let directory = pool.directory();
    let import = (ID.parse::<ImportId>().unwrap(), OffsetDateTime::UNIX_EPOCH);
    let importer = Importer::start(paced(&directory, &pace, clock.as_ref()), import, NEW_ONLY).await.unwrap();
    let text = rows(200, r#", "password": {"temporary": "Correct-1"}"#);
    let mut results = Box::pin(importer.import_all(lines(&text).into_iter()));
    while results.next().await.is_some() {
        starts.lock().unwrap().push((clock.now(), record(&pool)));
    }
    let starts = starts.lock().unwrap();
    for (at, count) in starts.iter() {
        let later = starts.iter().filter(|(other, _)| other >= at && *other < *at + Duration::from_secs(1));
        let most = later.map(|(_, other)| other - count).max().unwrap_or_default();
        assert!(most <= 50, "{most} after {at:?}");
    }
}
