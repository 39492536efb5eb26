//! The key of invitations: every call, every fault; and two at once.

use std::sync::Arc;

use aws::SsmInvitationKeys;
use domain::invitation::{
    EnsuredKey, InvitationKeys, KeyError, KeyName, KeyOwner, KeyProvisioner, OwningStack, PublicKey, SigningKey,
};
use domain::provision::Outcome;
use domain::retry::{Listener, Waiting};
use domain::spec::PoolName;
use testkit::fault_proxy::Fault;

use super::harness::{Case, Harness, QuickClock, matrix};

const STACK: &str = "stack";

struct Nobody;

impl Listener for Nobody {
    fn waiting(&self, _: &Waiting) {}
}

fn keeper(keys: &SsmInvitationKeys) -> KeyProvisioner<'_> {
    KeyProvisioner { keys, clock: Arc::new(QuickClock::new()), listener: &Nobody }
}

fn name_of(pool: &PoolName) -> KeyName {
    KeyName::of(pool, &OwningStack::of_id(STACK).unwrap(), 1)
}

fn owner_of(pool: &PoolName) -> KeyOwner {
    KeyOwner { pool: pool.clone(), stack_id: STACK.to_owned(), request_id: "request".to_owned() }
}

/// With a new key of its own, as every run has one.
async fn ensure(keys: SsmInvitationKeys, pool: PoolName, seed: u8) -> Result<EnsuredKey, KeyError> {
    keeper(&keys).ensure(&name_of(&pool), &owner_of(&pool), None, &SigningKey::from_seed(&[seed; 32])).await
}

async fn kept(case: &Case) -> Option<PublicKey> {
    case.keys.read(&name_of(&case.spec.name)).await.unwrap().map(|stored| stored.key.public_key())
}

#[tokio::test]
async fn after_any_fault_in_any_call_there_is_one_key_that_is_never_replaced_and_then_none() {
    let world = Harness::start().await;
    // To read, to create, to read again with its tags, and to create again.
    let cases = world
        .for_each(matrix(5), async |planned| {
            let case = world.case().await;
            let pool = case.spec.name.clone();
            let first = case.with(&[planned], ensure(case.keys_behind.clone(), pool.clone(), 1)).await;
            let told = format!("{planned:?} of {:?}: {first:?}", case.operations());
            let before = kept(&case).await;
            if let Some(Ok(first)) = first {
                assert_eq!(Some(first.public_key), before, "{told}");
            }
            let again = ensure(case.keys.clone(), pool, 2).await.unwrap();
            assert_eq!(kept(&case).await.as_ref(), Some(&again.public_key), "{told}");
            assert!(before.is_none_or(|before| before == again.public_key), "{told}");

            let (keys, name) = (case.keys_behind.clone(), name_of(&case.spec.name));
            let removed = async move { keeper(&keys).remove(&name, STACK).await };
            let removed = case.with(&[planned], removed).await;
            let told = format!("{planned:?} of {:?}: {removed:?}", case.operations());
            if !matches!(removed, Some(Err(_)) | None) {
                assert_eq!(kept(&case).await, None, "{told}");
            }
            keeper(&case.keys).remove(&name_of(&case.spec.name), STACK).await.unwrap();
            assert_eq!(kept(&case).await, None, "{told}");
        })
        .await;
    assert_eq!(cases, 5 * Fault::ALL.len());
}

#[tokio::test]
async fn two_at_once_hear_of_the_same_key() {
    let world = Harness::start().await;
    let mut met = 0;
    for round in 0..20 {
        let case = world.case().await;
        let ensure = |seed| ensure(case.keys_behind.clone(), case.spec.name.clone(), seed);
        let (first, second) = tokio::join!(ensure(1), ensure(2));
        let [first, second] = [first, second].map(Result::unwrap);
        assert_eq!(first.public_key, second.public_key, "round {round}");
        assert_eq!(kept(&case).await, Some(first.public_key), "round {round}");
        met += usize::from([first.outcome, second.outcome].contains(&Outcome::Adopted));
    }
    assert!(met > 0, "the two never met: the test shows nothing");
}
