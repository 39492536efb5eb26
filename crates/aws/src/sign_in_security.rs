//! Implements [`SignInSecurity`], the second factors, devices and auth events of users.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::{
    AuthEventType, DeviceType, EmailMfaSettingsType, SmsMfaSettingsType, SoftwareTokenMfaSettingsType,
};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::{AuthEvent, Device, Mfa, SignInSecurity};
use domain::user_pool::user::Username;

use crate::CognitoDirectory;
use crate::failure::Failure;
use crate::users::{to_attributes, to_factor, to_factors, to_time};

#[async_trait]
impl SignInSecurity for CognitoDirectory {
    async fn mfa(&self, username: &Username) -> Result<Mfa, UserPoolError> {
        let user = self.get_user(username).await?;
        Ok(Mfa {
            enabled: to_factors(user.user_mfa_setting_list()),
            preferred: user.preferred_mfa_setting().and_then(to_factor),
        })
    }

    async fn set_mfa(&self, username: &Username, mfa: &Mfa) -> Result<(), UserPoolError> {
        const OPERATION: &str = "AdminSetUserMFAPreference";
        if mfa.preferred.is_some_and(|factor| !mfa.enabled.contains(&factor)) {
            return Err(UserPoolError::new(OPERATION, Reason::InvalidRequest));
        }
        let present = self.mfa(username).await?;
        let Some(Preferences { sms, app, email }) = Preferences::of(&present.enabled, mfa) else { return Ok(()) };
        self.client
            .admin_set_user_mfa_preference()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .set_sms_mfa_settings(sms)
            .set_software_token_mfa_settings(app)
            .set_email_mfa_settings(email)
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        Ok(())
    }

    async fn devices(&self, username: &Username, page: &PageRequest) -> Result<Page<Device>, UserPoolError> {
        let answer = self
            .client
            .admin_list_devices()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .limit(i32::from(page.limit))
            .set_pagination_token(page.after.clone())
            .send()
            .await
            .map_err(|error| Failure::of("AdminListDevices", &error))?;
        let devices = answer.devices.unwrap_or_default().into_iter().map(to_device);
        Ok(Page { entries: devices.collect::<Result<_, _>>()?, next: answer.pagination_token })
    }

    async fn forget_device(&self, username: &Username, key: &str) -> Result<(), UserPoolError> {
        let request = self.once.admin_forget_device().user_pool_id(&self.user_pool_id);
        let request = request.username(username.as_str()).device_key(key);
        request.send().await.map_err(|error| Failure::of("AdminForgetDevice", &error))?;
        Ok(())
    }

    async fn auth_events(&self, username: &Username, page: &PageRequest) -> Result<Page<AuthEvent>, UserPoolError> {
        let answer = self
            .client
            .admin_list_user_auth_events()
            .user_pool_id(&self.user_pool_id)
            .username(username.as_str())
            .max_results(i32::from(page.limit))
            .set_next_token(page.after.clone())
            .send()
            .await
            .map_err(|error| Failure::of("AdminListUserAuthEvents", &error))?;
        let events = answer.auth_events.unwrap_or_default().into_iter().map(to_event);
        Ok(Page { entries: events.collect::<Result<_, _>>()?, next: answer.next_token })
    }
}

/// The factor settings in a request that changes second factors.
pub(crate) struct Preferences {
    pub(crate) sms: Option<SmsMfaSettingsType>,
    pub(crate) app: Option<SoftwareTokenMfaSettingsType>,
    pub(crate) email: Option<EmailMfaSettingsType>,
}

impl Preferences {
    /// Returns the settings that change the factors from `present` to `wanted`, or `None` if there is nothing to send.
    ///
    /// Cognito rejects disabling a factor that the user has not set up or the pool does not offer, so factors that stay
    /// disabled are omitted.
    pub(crate) fn of(present: &[Factor], wanted: &Mfa) -> Option<Self> {
        let setting = |factor| {
            let is_wanted = wanted.enabled.contains(&factor);
            (is_wanted || present.contains(&factor)).then_some((is_wanted, wanted.preferred == Some(factor)))
        };
        let sms = setting(Factor::SmsMfa).map(|(enabled, preferred)| {
            SmsMfaSettingsType::builder().enabled(enabled).preferred_mfa(preferred).build()
        });
        let app = setting(Factor::SoftwareTokenMfa).map(|(enabled, preferred)| {
            SoftwareTokenMfaSettingsType::builder().enabled(enabled).preferred_mfa(preferred).build()
        });
        let email = setting(Factor::EmailOtp).map(|(enabled, preferred)| {
            EmailMfaSettingsType::builder().enabled(enabled).preferred_mfa(preferred).build()
        });
        let is_empty = sms.is_none() && app.is_none() && email.is_none();
        (!is_empty).then_some(Self { sms, app, email })
    }
}

fn to_device(device: DeviceType) -> Result<Device, UserPoolError> {
    Ok(Device {
        key: device.device_key.ok_or_else(|| Failure::missing("AdminListDevices", "DeviceKey"))?,
        attributes: to_attributes(device.device_attributes.unwrap_or_default()),
        created_at: device.device_create_date.and_then(to_time),
        last_signed_in_at: device.device_last_authenticated_date.and_then(to_time),
    })
}

fn to_event(event: AuthEventType) -> Result<AuthEvent, UserPoolError> {
    let risk = event.event_risk;
    let (decision, level) = risk.map_or((None, None), |risk| (risk.risk_decision, risk.risk_level));
    let context = event.event_context_data.as_ref();
    Ok(AuthEvent {
        id: event.event_id.ok_or_else(|| Failure::missing("AdminListUserAuthEvents", "EventId"))?,
        kind: event.event_type.map(|kind| kind.as_str().to_owned()),
        at: event.creation_date.and_then(to_time),
        outcome: event.event_response.map(|outcome| outcome.as_str().to_owned()),
        risk_decision: decision.map(|decision| decision.as_str().to_owned()),
        risk_level: level.map(|level| level.as_str().to_owned()),
        ip_address: context.and_then(|context| context.ip_address.clone()),
        city: context.and_then(|context| context.city.clone()),
        country: context.and_then(|context| context.country.clone()),
        device_name: context.and_then(|context| context.device_name.clone()),
    })
}
