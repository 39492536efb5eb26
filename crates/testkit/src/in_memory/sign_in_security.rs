//! [`SignInSecurity`] on the in-memory pool.

use async_trait::async_trait;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::{AuthEvent, Device, Mfa, SignInSecurity};
use domain::user_pool::user::{Attributes, Username};

use super::record::Record;
use super::state::{State, Switch};
use super::{InMemoryDirectory, InMemoryPool, deliveries, paging};

impl InMemoryPool {
    /// Sets up an authenticator app for a user without enabling it as a second factor.
    pub fn set_up_authenticator(&self, username: &str) {
        self.state().change(username, |record| record.has_authenticator = true);
    }

    /// The second factors of a user, none for an unknown user.
    #[must_use]
    pub fn mfa_of(&self, name: &str) -> Mfa {
        self.state().find(name).map(|record| record.mfa.clone()).unwrap_or_default()
    }

    /// Sets up and enables a second factor of a user without checking rules.
    pub fn switch_factor_on(&self, username: &str, factor: Factor) {
        self.state().change(username, |record| {
            record.has_authenticator |= factor == Factor::SoftwareTokenMfa;
            record.mfa.enabled = in_order(&[record.mfa.enabled.as_slice(), &[factor]].concat());
        });
    }

    /// Starts the enrollment of an authenticator app for a user, which removes the previous one.
    /// [`FACTOR_CODE`](super::FACTOR_CODE) finishes it.
    pub fn start_authenticator(&self, username: &str) {
        self.state().start_totp(username);
    }

    /// Disables authenticator apps, as `mfa: off` does.
    pub fn offer_no_totp(&self) {
        self.state().switch(Switch::NoTotp, true);
    }

    /// Adds a device to a user.
    pub fn add_device(&self, username: &str, key: &str) {
        let mut state = self.state();
        let now = state.next_time();
        let device = Device {
            key: key.to_owned(),
            attributes: Attributes::from([("device_name".to_owned(), format!("device of {username}"))]),
            created_at: Some(now),
            last_signed_in_at: Some(now),
        };
        state.change(username, |record| {
            record.devices.insert(key.to_owned(), device);
        });
    }

    /// Records a successful event of a user, e.g. of kind `SignIn`.
    pub fn add_auth_event(&self, username: &str, id: &str, kind: &str) {
        let mut state = self.state();
        let event = AuthEvent {
            id: id.to_owned(),
            kind: Some(kind.to_owned()),
            at: Some(state.next_time()),
            outcome: Some("Pass".to_owned()),
            risk_decision: Some("NoRisk".to_owned()),
            risk_level: Some("Low".to_owned()),
            ip_address: Some("192.0.2.1".to_owned()),
            city: Some("Berlin".to_owned()),
            country: Some("Germany".to_owned()),
            device_name: Some("Firefox, Linux".to_owned()),
        };
        state.change(username, |record| record.auth_events.push(event));
    }

    /// Disables the recording of events, as in a pool without threat protection.
    pub fn record_no_auth_events(&self) {
        self.state().switch(Switch::NoAuthEvents, true);
    }
}

impl Record {
    /// The enabled factors.
    pub(super) fn usable_mfa(&self) -> Mfa {
        let enabled: Vec<_> = self.mfa.enabled.iter().copied().filter(|factor| self.can_use(*factor)).collect();
        let preferred = self.mfa.preferred.filter(|factor| enabled.contains(factor));
        Mfa { enabled, preferred }
    }

    fn can_use(&self, factor: Factor) -> bool {
        deliveries::attribute_of(factor).map_or(self.has_authenticator, |attribute| self.has(attribute))
    }
}

/// Each factor once, in the order of [`Factor::ALL`].
pub(super) fn in_order(factors: &[Factor]) -> Vec<Factor> {
    Factor::ALL.iter().copied().filter(|factor| factors.contains(factor)).collect()
}

impl State {
    pub(super) fn set_mfa(
        &mut self,
        operation: &'static str,
        username: &Username,
        present: &[Factor],
        mfa: &Mfa,
    ) -> Result<(), UserPoolError> {
        let record = self.known(operation, username)?;
        if mfa.preferred.is_some_and(|preferred| !mfa.enabled.contains(&preferred)) {
            return Err(UserPoolError::new(operation, Reason::InvalidRequest));
        }
        let named = [present, mfa.enabled.as_slice()].concat();
        // Cognito rejects settings of a factor that is not set up, even to disable it.
        if !named.iter().all(|factor| record.can_use(*factor)) {
            return Err(UserPoolError::new(operation, Reason::WrongState));
        }
        let mut enabled = mfa.enabled.clone();
        enabled.extend(record.mfa.enabled.iter().filter(|factor| !named.contains(factor)));
        let kept = record.mfa.preferred.filter(|factor| !named.contains(factor));
        let changed = Mfa { enabled: in_order(&enabled), preferred: mfa.preferred.or(kept) };
        self.find_mut(operation, username)?.mfa = changed;
        Ok(())
    }

    /// Returns the secret of a new authenticator app. As in Cognito, the previous app is removed, but the factor is
    /// still listed.
    pub(super) fn start_totp(&mut self, username: &str) {
        self.change(username, |record| {
            record.totp_is_pending = true;
            record.has_authenticator = false;
        });
    }
}

#[async_trait]
impl SignInSecurity for InMemoryDirectory {
    async fn mfa(&self, username: &Username) -> Result<Mfa, UserPoolError> {
        let state = self.pool().call("mfa")?;
        Ok(state.known("mfa", username)?.mfa.clone())
    }

    async fn set_mfa(&self, username: &Username, mfa: &Mfa) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("set_mfa")?;
        let present = state.known("set_mfa", username)?.mfa.enabled.clone();
        state.set_mfa("set_mfa", username, &present, mfa)
    }

    async fn devices(&self, username: &Username, page: &PageRequest) -> Result<Page<Device>, UserPoolError> {
        let state = self.pool().call("devices")?;
        let devices = &state.known("devices", username)?.devices;
        let page = paging::by_name(devices, page, state.page_cap, |device| Some(device.clone()));
        page.map_err(|reason| UserPoolError::new("devices", reason))
    }

    async fn forget_device(&self, username: &Username, key: &str) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("forget_device")?;
        if !state.known("forget_device", username)?.devices.contains_key(key) {
            return Err(UserPoolError::new("forget_device", Reason::DeviceNotFound));
        }
        state.find_mut("forget_device", username)?.devices.remove(key);
        Ok(())
    }

    async fn auth_events(&self, username: &Username, page: &PageRequest) -> Result<Page<AuthEvent>, UserPoolError> {
        let state = self.pool().call("auth_events")?;
        if state.is(Switch::NoAuthEvents) {
            return Err(UserPoolError::new("auth_events", Reason::WrongState));
        }
        let events = state.known("auth_events", username)?.auth_events.iter().rev();
        let page = paging::in_order(events.map(|event| (event.id.as_str(), event.clone())), page, state.page_cap);
        page.map_err(|reason| UserPoolError::new("auth_events", reason))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PASSWORD, at_most, name, pool, reason_of, walk};
    use super::*;

    #[tokio::test]
    async fn enables_only_factors_that_are_set_up() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[]);
        let set = async |username: &str, enabled: &[Factor], preferred| {
            let mfa = Mfa { enabled: enabled.to_vec(), preferred };
            pool.directory().set_mfa(&name(username), &mfa).await
        };
        for factor in Factor::ALL.iter().copied() {
            assert_eq!(reason_of(set("abe", &[factor], None).await), Reason::WrongState, "{factor:?}");
        }
        pool.set_up_authenticator("mia");
        for factor in Factor::ALL.iter().copied() {
            set("mia", &[factor], Some(factor)).await.unwrap();
            let expected = Mfa { enabled: vec![factor], preferred: Some(factor) };
            assert_eq!(pool.directory().mfa(&name("mia")).await.unwrap(), expected);
        }
        let preferred_elsewhere = set("mia", &[Factor::EmailOtp], Some(Factor::SmsMfa)).await;
        assert_eq!(reason_of(preferred_elsewhere), Reason::InvalidRequest);
        set("mia", &[], None).await.unwrap();
        assert_eq!(pool.directory().mfa(&name("mia")).await.unwrap(), Mfa::default());
    }

    #[tokio::test]
    async fn device_is_deleted_once() {
        let pool = pool();
        let directory = pool.directory();
        for key in ["key-1", "key-2", "key-3"] {
            pool.add_device("mia", key);
        }
        directory.forget_device(&name("mia"), "key-2").await.unwrap();
        assert_eq!(reason_of(directory.forget_device(&name("mia"), "key-2").await), Reason::DeviceNotFound);
        let mia = name("mia");
        let pages = walk(1, async |page| directory.devices(&mia, &page).await).await;
        let keys: Vec<_> = pages.into_iter().flatten().map(|device| device.key).collect();
        assert_eq!(keys, ["key-1", "key-3"]);
    }

    #[tokio::test]
    async fn lists_latest_events_first() {
        let pool = pool();
        let directory = pool.directory();
        for id in ["event-1", "event-2", "event-3"] {
            pool.add_auth_event("mia", id, "SignIn");
        }
        let mia = name("mia");
        let pages = walk(2, async |page| directory.auth_events(&mia, &page).await).await;
        let ids: Vec<Vec<_>> = pages.into_iter().map(|page| page.into_iter().map(|event| event.id).collect()).collect();
        assert_eq!(ids, [vec!["event-3", "event-2"], vec!["event-1"]]);
        pool.record_no_auth_events();
        assert_eq!(reason_of(directory.auth_events(&mia, &at_most(1)).await), Reason::WrongState);
    }

    #[tokio::test]
    async fn unknown_user_has_no_factors_devices_and_events() {
        let directory = pool().directory();
        let abe = name("abe");
        assert_eq!(reason_of(directory.mfa(&abe).await), Reason::UserNotFound);
        assert_eq!(reason_of(directory.set_mfa(&abe, &Mfa::default()).await), Reason::UserNotFound);
        assert_eq!(reason_of(directory.devices(&abe, &at_most(1)).await), Reason::UserNotFound);
        assert_eq!(reason_of(directory.forget_device(&abe, "key").await), Reason::UserNotFound);
        assert_eq!(reason_of(directory.auth_events(&abe, &at_most(1)).await), Reason::UserNotFound);
    }
}
