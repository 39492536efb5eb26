//! Tests the requests and parsed responses of second factors, devices and authentication events.

use domain::user_pool::error::Reason;
use domain::user_pool::page::PageRequest;
use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::{AuthEvent, Device, Mfa, SignInSecurity};
use domain::user_pool::user::Attributes;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::fake_aws::{FakeAws, success};
use super::{mia, pool, response};

const SMS: Factor = Factor::SmsMfa;
const APP: Factor = Factor::SoftwareTokenMfa;
const EMAIL: Factor = Factor::EmailOtp;

fn page() -> PageRequest {
    PageRequest { limit: 7, after: Some("here".to_owned()) }
}

fn timestamp(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// Returns a pool in which the user has these factors enabled.
fn pool_with_factors(enabled: &[Factor]) -> FakeAws {
    let names: Vec<&str> = enabled.iter().map(|factor| factor.as_str()).collect();
    FakeAws::answering([("AdminGetUser", json!({"Username": "mia", "UserMFASettingList": names}))])
}

#[tokio::test]
async fn reads_factors_and_ignores_passkeys() {
    let user = json!({
        "Username": "mia",
        "UserMFASettingList": ["SMS_MFA", "WEB_AUTHN_MFA", "EMAIL_OTP"],
        "PreferredMfaSetting": "EMAIL_OTP",
    });
    let table = [
        (user, Mfa { enabled: vec![SMS, EMAIL], preferred: Some(EMAIL) }),
        (json!({"Username": "mia"}), Mfa::default()),
    ];
    for (user, expected) in table {
        let fake = FakeAws::answering([("AdminGetUser", user)]);
        assert_eq!(pool(&fake).await.mfa(&mia()).await.unwrap(), expected);
    }
}

fn setting_json(enabled: bool, preferred: bool) -> Value {
    json!({"Enabled": enabled, "PreferredMfa": preferred})
}

#[tokio::test]
async fn enables_wanted_factors_and_disables_only_enabled_ones() {
    let table = [
        (&[][..], &[APP][..], Some(APP), json!({"SoftwareTokenMfaSettings": setting_json(true, true)})),
        (&[SMS], &[SMS], None, json!({"SMSMfaSettings": setting_json(true, false)})),
        (
            &[SMS],
            &[APP],
            Some(APP),
            json!({"SMSMfaSettings": setting_json(false, false), "SoftwareTokenMfaSettings": setting_json(true, true)}),
        ),
        (&[EMAIL], &[], None, json!({"EmailMfaSettings": setting_json(false, false)})),
        (
            &[SMS, APP],
            &[SMS, APP, EMAIL],
            Some(EMAIL),
            json!({
                "SMSMfaSettings": setting_json(true, false),
                "SoftwareTokenMfaSettings": setting_json(true, false),
                "EmailMfaSettings": setting_json(true, true),
            }),
        ),
    ];
    for (present, wanted, preferred, mut expected) in table {
        let fake = pool_with_factors(present);
        pool(&fake).await.set_mfa(&mia(), &Mfa { enabled: wanted.to_vec(), preferred }).await.unwrap();
        expected["UserPoolId"] = json!("pool");
        expected["Username"] = json!("mia");
        assert_eq!(fake.sent("AdminSetUserMFAPreference"), expected, "from {present:?} to {wanted:?}");
    }
}

#[tokio::test]
async fn sends_nothing_if_no_factor_is_enabled_or_wanted() {
    let fake = pool_with_factors(&[]);
    pool(&fake).await.set_mfa(&mia(), &Mfa::default()).await.unwrap();
    assert_eq!((fake.calls("AdminGetUser"), fake.calls("AdminSetUserMFAPreference")), (1, 0));
}

#[tokio::test]
async fn rejects_a_preferred_factor_that_is_disabled() {
    let fake = pool_with_factors(&[SMS]);
    let error = pool(&fake).await.set_mfa(&mia(), &Mfa { enabled: vec![SMS], preferred: Some(APP) }).await.unwrap_err();
    assert_eq!(error.reason, Reason::InvalidRequest);
    assert_eq!(fake.calls("AdminSetUserMFAPreference"), 0);
}

#[tokio::test]
async fn rejects_a_factor_that_the_user_has_not_set_up() {
    let messages = [
        "User has not verified software token mfa",
        "User has not set up software token mfa",
        "User does not have a phone_number set to turn on SMS MFA",
        "User does not have delivery config set to turn on SMS_MFA",
    ];
    for message in messages {
        let fake = FakeAws::new(move |operation| match operation {
            "AdminSetUserMFAPreference" => {
                let error = json!({"__type": "InvalidParameterException", "message": message});
                Ok(response(400, error.to_string()))
            }
            _ => Ok(success(operation)),
        });
        let wanted = Mfa { enabled: vec![APP], preferred: None };
        let error = pool(&fake).await.set_mfa(&mia(), &wanted).await.unwrap_err();
        assert_eq!(error.reason, Reason::WrongState, "{message}");
    }
}

#[tokio::test]
async fn devices_are_read_page_by_page() {
    let device = json!({
        "DeviceKey": "eu-west-1_1",
        "DeviceAttributes": [{"Name": "device_name", "Value": "phone"}],
        "DeviceCreateDate": 1,
        "DeviceLastAuthenticatedDate": 2,
    });
    let fake = FakeAws::answering([("AdminListDevices", json!({"Devices": [device], "PaginationToken": "there"}))]);
    let devices = pool(&fake).await.devices(&mia(), &page()).await.unwrap();
    let expected = Device {
        key: "eu-west-1_1".to_owned(),
        attributes: Attributes::from([("device_name".to_owned(), "phone".to_owned())]),
        created_at: timestamp(1),
        last_signed_in_at: timestamp(2),
    };
    assert_eq!((devices.entries, devices.next.as_deref()), (vec![expected], Some("there")));
    let expected = json!({"UserPoolId": "pool", "Username": "mia", "Limit": 7, "PaginationToken": "here"});
    assert_eq!(fake.sent("AdminListDevices"), expected);
}

#[tokio::test]
async fn forgets_a_device_by_its_key() {
    let fake = FakeAws::answering([]);
    pool(&fake).await.forget_device(&mia(), "eu-west-1_1").await.unwrap();
    let expected = json!({"UserPoolId": "pool", "Username": "mia", "DeviceKey": "eu-west-1_1"});
    assert_eq!(fake.sent("AdminForgetDevice"), expected);

    let table =
        [("Device does not exist.", Reason::DeviceNotFound), ("User pool pool does not exist.", Reason::Internal)];
    for (message, expected) in table {
        let fake = FakeAws::rejecting("AdminForgetDevice", "ResourceNotFoundException", message);
        let error = pool(&fake).await.forget_device(&mia(), "eu-west-1_1").await.unwrap_err();
        assert_eq!(error.reason, expected, "{message}");
    }
}

#[tokio::test]
async fn reads_all_fields_of_auth_events() {
    let full = json!({
        "EventId": "event-1",
        "EventType": "SignIn",
        "CreationDate": 1,
        "EventResponse": "Fail",
        "EventRisk": {"RiskDecision": "AccountTakeover", "RiskLevel": "High"},
        "EventContextData": {"IpAddress": "203.0.113.7", "City": "Bonn", "Country": "Germany", "DeviceName": "Firefox"},
    });
    let events = json!({"AuthEvents": [full, {"EventId": "event-2"}], "NextToken": "there"});
    let fake = FakeAws::answering([("AdminListUserAuthEvents", events)]);
    let events = pool(&fake).await.auth_events(&mia(), &page()).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let full = AuthEvent {
        id: "event-1".to_owned(),
        kind: some("SignIn"),
        at: timestamp(1),
        outcome: some("Fail"),
        risk_decision: some("AccountTakeover"),
        risk_level: some("High"),
        ip_address: some("203.0.113.7"),
        city: some("Bonn"),
        country: some("Germany"),
        device_name: some("Firefox"),
    };
    assert_eq!((&events.entries[0], events.next.as_deref()), (&full, Some("there")));
    assert_eq!((events.entries[1].id.as_str(), &events.entries[1].kind), ("event-2", &None));
    let expected = json!({"UserPoolId": "pool", "Username": "mia", "MaxResults": 7, "NextToken": "here"});
    assert_eq!(fake.sent("AdminListUserAuthEvents"), expected);
}

#[tokio::test]
async fn devices_without_key_and_events_without_id_are_errors() {
    let fake = FakeAws::answering([
        ("AdminListDevices", json!({"Devices": [{}]})),
        ("AdminListUserAuthEvents", json!({"AuthEvents": [{}]})),
    ]);
    let pool = pool(&fake).await;
    assert_eq!(pool.devices(&mia(), &page()).await.unwrap_err().reason, Reason::Internal);
    assert_eq!(pool.auth_events(&mia(), &page()).await.unwrap_err().reason, Reason::Internal);
}
