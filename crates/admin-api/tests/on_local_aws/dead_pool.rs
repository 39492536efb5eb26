//! How many requests the API sends to a user pool that is dead.

use futures::future::join_all;
use testkit::fault_proxy::{Fault, FaultProxy};

use crate::harness::{Api, Harness};

/// Exceeds the number of requests in a test.
const MAX_REQUESTS: usize = 1000;

struct DeadPool {
    proxy: FaultProxy,
    api: Api,
    route: (&'static str, &'static str),
}

impl DeadPool {
    /// `region` selects the SDK's retry budget, which all clients of a region share.
    async fn start(fault: Fault, route: (&'static str, &'static str), region: &str) -> Self {
        // The proxy never forwards a request.
        let proxy = FaultProxy::start("http://127.0.0.1:1").await.unwrap();
        (1..=MAX_REQUESTS).for_each(|nth| proxy.plan_at(nth, fault));
        let (api, _) = Harness::api_without_pool(proxy.endpoint_url(), region).await;
        Self { proxy, api, route }
    }

    /// Makes calls at the same time. Returns the number of requests that they send.
    async fn requests(&self, calls: usize) -> usize {
        let before = self.proxy.calls().len();
        let (method, path) = self.route;
        for answer in join_all((0..calls).map(|_| self.api.call(method, path, None))).await {
            assert_eq!(answer.code(), "upstream-unavailable", "{answer:?}");
        }
        self.proxy.calls().len() - before
    }
}

/// Makes 120 calls. The first sends at most `limit_of_first` requests.
async fn assert_requests_decrease(pool: DeadPool, limit_of_first: usize) {
    let first = pool.requests(1).await;
    let second = pool.requests(1).await;
    let others = pool.requests(98).await;
    let later = pool.requests(20).await;
    let figures = format!("{:?}: {first}, {second}, {others} for 98 calls, {later} for 20 calls", pool.route);
    println!("{figures}");
    assert!(first <= limit_of_first && second <= 3 && others <= 3 * 98, "{figures}");
    // At most 1.1 requests per call.
    assert!((20..=22).contains(&later), "{figures}");
}

#[tokio::test]
async fn requests_per_call_decrease_to_one_after_100_calls() {
    let read = ("GET", "/v1/users/mia");
    // Reads the caller, the caller's groups and the target at the same time, unless the pool was unavailable before.
    let write = ("POST", "/v1/users/mia/disable");
    let cases = [
        (Fault::Unavailable, read, 3),
        (Fault::NotSent, read, 3),
        (Fault::Unavailable, write, 9),
        (Fault::NotSent, write, 9),
    ];
    join_all(cases.into_iter().enumerate().map(async |(number, (fault, route, limit_of_first))| {
        let pool = DeadPool::start(fault, route, &format!("dead-{number}")).await;
        assert_requests_decrease(pool, limit_of_first).await;
    }))
    .await;
}
