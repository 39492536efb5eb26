use super::*;

const STANDARD: &[(&str, &str)] = &[("email", "mia@example.com"), ("email_verified", "true"), ("name", "Mia")];

fn user(attributes: &[(&str, &str)]) -> OldUser {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    OldUser {
        username: "mia".to_owned(),
        status: UserStatus::Confirmed,
        enabled: true,
        has_second_factor: false,
        attributes: attributes.collect(),
    }
}

fn policy(sign_in: SignInWith) -> Policy {
    Policy { sign_in, attributes: MigratedAttributes::default() }
}

/// The migrated attributes, as `name=value`, or the reason.
fn decided(policy: &Policy, flow: Flow, entered: &str, user: &OldUser) -> Result<Vec<String>, Denial> {
    let migration = decide(policy, flow, &entered.parse().unwrap(), user)?;
    Ok(migration.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect())
}

#[test]
fn only_enabled_users_without_further_factors_move() {
    let by_name = policy(SignInWith::Username);
    let sign_in = |user: &OldUser| decided(&by_name, Flow::SignIn, "mia", user).err();
    let forgot = |user: &OldUser| decided(&by_name, Flow::ForgotPassword, "mia", user).err();
    let with = |change: fn(&mut OldUser)| {
        let mut user = user(STANDARD);
        change(&mut user);
        user
    };
    let table = [
        (with(|_| {}), None, None),
        (with(|user| user.enabled = false), Some(Denial::Disabled), Some(Denial::Disabled)),
        (with(|user| user.has_second_factor = true), Some(Denial::SecondFactor), Some(Denial::SecondFactor)),
        (with(|user| user.status = UserStatus::ResetRequired), Some(Denial::Status), None),
    ];
    for (user, at_sign_in, at_forgot) in table {
        assert_eq!((sign_in(&user), forgot(&user)), (at_sign_in, at_forgot));
    }
    for status in [
        UserStatus::Unconfirmed,
        UserStatus::ForceChangePassword,
        UserStatus::ExternalProvider,
        UserStatus::Unknown,
        UserStatus::Other("ARCHIVED".to_owned()),
    ] {
        let mut user = user(STANDARD);
        user.status = status;
        assert_eq!((sign_in(&user), forgot(&user)), (Some(Denial::Status), Some(Denial::Status)), "{:?}", user.status);
    }
}

#[test]
fn status_depends_on_the_flow() {
    for (flow, expected) in [(Flow::SignIn, UserStatus::Confirmed), (Flow::ForgotPassword, UserStatus::ResetRequired)] {
        let migration = decide(&policy(SignInWith::Username), flow, &"mia".parse().unwrap(), &user(STANDARD));
        assert!(migration.is_ok_and(|migration| migration.status == expected), "{flow:?}");
    }
}

#[test]
fn name_in_pool_with_email_sign_in_is_the_verified_address() {
    let by_email = policy(SignInWith::Email);
    let decided = |entered: &str, user: &OldUser| decided(&by_email, Flow::SignIn, entered, user);
    let moved =
        |email: &str| Ok(vec![format!("email={email}"), "email_verified=true".to_owned(), "name=Mia".to_owned()]);
    for entered in ["mia@example.com", "Mia@Example.com"] {
        assert_eq!(decided(entered, &user(STANDARD)), moved(entered));
    }
    // K is the Kelvin sign, whose lowercase letter is k.
    let kim = user(&[("email", "kim@example.com"), ("email_verified", "true")]);
    for (entered, user) in
        [("mia", &user(STANDARD)), ("eve@example.com", &user(STANDARD)), ("\u{212a}im@example.com", &kim)]
    {
        assert_eq!(decided(entered, user), Err(Denial::Name), "{entered}");
    }
    // A user name of an old directory can have the form of somebody else's address.
    let mut impostor = user(&[("email", "eve@example.com"), ("email_verified", "true")]);
    "mia@example.com".clone_into(&mut impostor.username);
    assert_eq!(decided("mia@example.com", &impostor), Err(Denial::Name));
    for verified in ["false", "TRUE", ""] {
        let unverified = user(&[("email", "mia@example.com"), ("email_verified", verified)]);
        assert_eq!(decided("mia@example.com", &unverified), Err(Denial::Name), "{verified}");
    }
}

#[test]
fn name_in_pool_with_user_names_is_the_user_name() {
    let by_name = policy(SignInWith::Username);
    let addresses = [("phone_number", "+15555550100"), ("preferred_username", "boss"), ("email", "mia@example.com")];
    let verified = [&addresses[..], &[("phone_number_verified", "true"), ("email_verified", "true")]].concat();
    for flow in [Flow::SignIn, Flow::ForgotPassword] {
        for entered in ["mia", "MIA"] {
            assert!(decided(&by_name, flow, entered, &user(&verified)).is_ok(), "{entered}");
        }
        // An alias would create a second account of the same user.
        for entered in ["mia@example.com", "+15555550100", "boss", "mi"] {
            assert_eq!(decided(&by_name, flow, entered, &user(&verified)), Err(Denial::Name), "{entered}");
        }
    }
}

#[test]
fn only_listed_attributes_move_and_addresses_keep_their_verification() {
    let old = user(&[
        ("sub", "0e6f3f3b-0000-4000-8000-000000000000"),
        ("identities", "[]"),
        ("cognito:user_status", "CONFIRMED"),
        ("custom:poolkeeper_created", "proof"),
        ("custom:role", "admin"),
        ("custom:team", "blue"),
        ("email", "mia@example.com"),
        ("email_verified", "false"),
        ("nickname", ""),
        ("phone_number", "+15555550100"),
        ("phone_number_verified", "true"),
        ("preferred_username", "boss"),
    ]);
    let moved = |list: Option<&str>| {
        let attributes = list.map(|list| list.parse().unwrap()).unwrap_or_default();
        decided(&Policy { sign_in: SignInWith::Username, attributes }, Flow::SignIn, "mia", &old)
    };
    let verified = ["phone_number=+15555550100", "phone_number_verified=true"].map(str::to_owned);
    assert_eq!(moved(None), Ok([&["email=mia@example.com".to_owned()][..], &verified].concat()));
    assert_eq!(moved(Some("custom:team")), Ok(vec!["custom:team=blue".to_owned()]));
    assert_eq!(moved(Some("phone_number")), Ok(verified.to_vec()));
    assert_eq!(moved(Some("preferred_username")), Ok(vec!["preferred_username=boss".to_owned()]));
    assert_eq!(moved(Some("birthdate")), Err(Denial::NoAttributes));
}

#[test]
fn forgotten_password_needs_a_verified_email_address() {
    let forgot = |policy: &Policy, attributes: &[(&str, &str)]| {
        decided(policy, Flow::ForgotPassword, "mia", &user(attributes)).err()
    };
    let by_name = policy(SignInWith::Username);
    assert_eq!(forgot(&by_name, STANDARD), None);
    let phone = [("phone_number", "+15555550100"), ("phone_number_verified", "true")];
    for attributes in [&phone[..], &[("email", "mia@example.com")], &[("email_verified", "true")]] {
        assert_eq!(forgot(&by_name, attributes), Some(Denial::NoVerifiedEmail), "{attributes:?}");
    }
    let without_email = Policy { attributes: "name".parse().unwrap(), ..by_name };
    assert_eq!(forgot(&without_email, STANDARD), Some(Denial::NoVerifiedEmail));
}
