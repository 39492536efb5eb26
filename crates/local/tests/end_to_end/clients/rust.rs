//! Calls every operation with the Rust client. The emulator's codes are fixed, and it lacks some operations.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt};
use local::deployment::FIRST_ADMIN;
use poolkeeper_client::builder::{ListGroups, ListUsers};
use poolkeeper_client::types::{
    AttributeChanges, Attributes, Caller, Challenge, ChallengeName, CodeAnswer, CreateUploadType, ErrorBody, ErrorCode,
    Factor, GetUserInclude, Group, ImportFormat, NewPasswordAnswer, NewPasswordAnswerChallenge, RevokeAll,
    SendAttributeCodeName, SignInOutcome, SignOutByRefreshToken, StartImport, StartImportType, Tokens, User,
    VerifyAttributeName,
};
use poolkeeper_client::{ApiError, Client, Error, ResponseValue, Secret, SignIn, items};
use totp_rs::Builder;

use super::{connect, wait_until_valid};

const PASSWORD: &str = "Correct-Horse-1";
const NEW_PASSWORD: &str = "Correct-Horse-2";
const WRONG_PASSWORD: &str = "Wrong-Horse-1";
const SIGN_UP_CODE: &str = "123456";
const RESET_CODE: &str = "654321";
const GROUP: &str = "rs-staff";

type Result<T> = std::result::Result<T, Error<ErrorBody>>;

pub(super) async fn call_every_operation(url: &str, password: &str) {
    let api = Api { url, admin: connect(url, SignIn::new(FIRST_ADMIN, password)) };
    api.pool_and_caller().await;
    api.jobs().await;
    api.errors().await;
    api.users().await;
    api.groups().await;
    api.challenge().await;
    api.own_account().await;
    api.revocation().await;
}

struct Api<'a> {
    url: &'a str,
    admin: Client,
}

#[track_caller]
fn refused<T: Debug>(result: Result<T>, status: u16, code: ErrorCode) -> Error<ErrorBody> {
    let error = result.unwrap_err();
    assert_eq!((error.status().map(|status| status.as_u16()), error.code()), (Some(status), Some(code)), "{error:?}");
    error
}

/// An operation that the emulator lacks.
#[track_caller]
fn lacking<T: Debug>(result: Result<T>) {
    refused(result, 501, ErrorCode::NotSupportedByEndpoint);
}

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> Attributes {
    Attributes(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

fn current_code(secret: &Secret) -> Secret {
    let secret = totp_rs::Secret::try_from_base32(secret.expose()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Secret::from(Builder::new().with_secret(secret).build().unwrap().generate(now).to_string())
}

impl Api<'_> {
    fn as_user(&self, username: &str, password: &str) -> Client {
        connect(self.url, SignIn::new(username, password))
    }

    fn with_token(&self, tokens: &Tokens) -> Client {
        connect(self.url, tokens.access_token.clone())
    }

    /// Creates a user with a permanent password.
    async fn create(&self, username: &str) -> Result<ResponseValue<User>> {
        let new = self.admin.create_user();
        new.body_map(|body| body.username(username).password(Secret::from(PASSWORD)).permanent(true)).send().await
    }

    async fn delete(&self, username: &str) {
        self.admin.delete_user().username(username).send().await.unwrap();
    }

    async fn pool_and_caller(&self) {
        let pool = self.admin.get_pool().send().await.unwrap();
        assert!(pool.password_policy.minimum_length >= 8, "{pool:?}");
        let caller = self.admin.get_caller().send().await.unwrap().into_inner();
        assert!(matches!(caller, Caller::UserCaller(caller) if caller.username == FIRST_ADMIN));
        let invite = self.admin.create_invitation().body_map(|body| body.email("rs-ida@example.com"));
        assert_eq!(invite.send().await.unwrap().email, "rs-ida@example.com");
    }

    /// The deployment has no jobs.
    async fn jobs(&self) {
        let (admin, id) = (&self.admin, "import-50d858e0985ecc7f60418aaf0cc5ab58");
        let absent = ErrorCode::NotFound;
        let upload = admin.create_job_upload().body_map(|body| body.type_(CreateUploadType::Import));
        refused(upload.send().await, 404, absent);
        let import = StartImport::builder().type_(StartImportType::Import).upload(id).format(ImportFormat::JsonLines);
        let import: StartImport = import.try_into().unwrap();
        refused(admin.start_job().body(import).send().await, 404, absent);
        refused(admin.list_jobs().send().await, 404, absent);
        refused(admin.get_job().id(id).send().await, 404, absent);
        refused(admin.list_job_results().id(id).send().await, 404, absent);
        refused(admin.stop_job().id(id).send().await, 404, absent);
    }

    async fn errors(&self) {
        self.create("rs-taken").await.unwrap();
        let taken = refused(self.create("rs-taken").await, 409, ErrorCode::UserExists);
        assert_eq!(taken.problem().unwrap().differing, ["creation"]);
        let weak = self.admin.create_user();
        let weak = weak.body_map(|body| body.username("rs-weak").password(Secret::from("weak")).permanent(true));
        refused(weak.send().await, 422, ErrorCode::InvalidPassword);
        let invalid = self.admin.list_users().cursor("not-a-cursor").send().await;
        let invalid = refused(invalid, 400, ErrorCode::InvalidRequest);
        assert_eq!(invalid.problem().unwrap().field.as_deref(), Some("cursor"));
        refused(self.admin.get_user().username("rs-unknown").send().await, 404, ErrorCode::UserNotFound);

        let error = self.as_user("rs-taken", WRONG_PASSWORD).list_users().send().await.unwrap_err();
        assert_eq!(error.to_string(), "Error: the sign-in failed: 401 invalid-credentials");
        refused(self.as_user("rs-taken", PASSWORD).list_users().send().await, 403, ErrorCode::Forbidden);
        let error = connect(self.url, Secret::from("not-a-token")).list_users().send().await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), error.code()), (401, None), "{error:?}");
        self.delete("rs-taken").await;
    }

    async fn users(&self) {
        let (admin, name) = (&self.admin, "rs-mia");
        self.create(name).await.unwrap();
        let create = async || {
            admin.create_user().idempotency_key("rs-key").body_map(|body| body.username("rs-key")).send().await
        };
        let first = create().await.unwrap();
        assert_eq!(create().await.unwrap().sub, first.sub);

        let users = items(|cursor: Option<String>| {
            let list = admin.list_users().limit(std::num::NonZeroU32::MIN);
            cursor.into_iter().fold(list, ListUsers::cursor).send()
        });
        let names: Vec<_> = users.map_ok(|user| user.username).try_collect().await.unwrap();
        assert!([name, "rs-key", FIRST_ADMIN].iter().all(|name| names.iter().any(|found| found == name)), "{names:?}");

        let changes = async |changes: [(&str, Option<&str>); 1]| {
            let owned = changes.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
            let changes = AttributeChanges(HashMap::from(owned));
            admin.update_user().username(name).body_map(|body| body.attributes(changes)).send().await
        };
        changes([("name", Some("Mia"))]).await.unwrap();
        lacking(changes([("nickname", None)]).await);
        let user = admin.get_user().username(name).include(GetUserInclude::Groups).send().await.unwrap();
        assert_eq!((user.attributes["name"].as_str(), user.groups.len()), ("Mia", 0));

        assert!(admin.disable_user().username(name).send().await.unwrap().changed);
        let disabled = self.as_user(name, PASSWORD).get_myself().send().await.unwrap_err();
        assert_eq!(disabled.to_string(), "Error: the sign-in failed: 401 invalid-credentials");
        assert!(admin.enable_user().username(name).send().await.unwrap().changed);
        // The emulator confirms confirmed users again.
        assert!(admin.confirm_user().username(name).send().await.unwrap().changed);
        let signed_out = admin.sign_out_user().username(name).send().await.unwrap();
        assert!(signed_out.revoked.iter().any(|credential| credential.token == "id_token"), "{signed_out:?}");

        let change = admin.set_user_password().username(name);
        change.body_map(|body| body.password(Secret::from(NEW_PASSWORD)).permanent(true)).send().await.unwrap();
        let myself = self.as_user(name, NEW_PASSWORD).get_myself().send().await.unwrap();
        assert_eq!(myself.username, name);
        let factors = vec![Factor::SoftwareTokenMfa];
        let mfa = admin.set_user_mfa().username(name).body_map(|body| body.enabled(factors)).send().await.unwrap();
        assert_eq!(admin.get_user_mfa().username(name).send().await.unwrap().enabled, mfa.enabled);
        self.links(name).await;
        admin.reset_user_password().username(name).send().await.unwrap();
        self.delete(name).await;
        self.delete("rs-key").await;
    }

    /// Identities, devices and sign-in events of a user.
    async fn links(&self, name: &str) {
        let admin = &self.admin;
        let link = admin.link_user_identity().username(name).provider("Google");
        let linked = link.body_map(|body| body.user_id("113489712349817234987")).send().await.unwrap();
        assert_eq!(linked.provider, "Google");
        admin.unlink_user_identity().username(name).provider("Google").send().await.unwrap();
        lacking(admin.list_user_devices().username(name).send().await);
        let key = "us-east-1_11111111-1111-4111-8111-111111111111";
        lacking(admin.forget_user_device().username(name).key(key).send().await);
        refused(admin.list_user_auth_events().username(name).send().await, 409, ErrorCode::WrongState);
    }

    async fn groups(&self) {
        let (admin, name) = (&self.admin, "rs-ann");
        let create = async || {
            let new = admin.create_group();
            new.body_map(|body| body.name(GROUP).description("Staff".to_owned()).precedence(7)).send().await
        };
        let group = create().await.unwrap();
        assert_eq!((group.name.as_str(), group.precedence), (GROUP, Some(7)));
        refused(create().await, 409, ErrorCode::GroupExists);
        assert_eq!(admin.get_group().group(GROUP).send().await.unwrap().created_at, group.created_at);
        let update = admin.update_group().group(GROUP).body_map(|body| body.description("All staff".to_owned()));
        lacking(update.send().await);
        let groups: Vec<Group> =
            items(|cursor: Option<String>| cursor.into_iter().fold(admin.list_groups(), ListGroups::cursor).send())
                .try_collect()
                .await
                .unwrap();
        assert!(groups.iter().any(|group| group.name == GROUP), "{groups:?}");

        self.create(name).await.unwrap();
        admin.add_user_to_group().username(name).group(GROUP).send().await.unwrap();
        assert_eq!(admin.list_user_groups().username(name).send().await.unwrap().groups, [GROUP]);
        let members = items(|_| admin.list_group_users().group(GROUP).send());
        let first = std::pin::pin!(members).next().await.unwrap().unwrap();
        assert_eq!(first.username, name);
        admin.remove_user_from_group().username(name).group(GROUP).send().await.unwrap();
        self.delete(name).await;
        admin.delete_group().group(GROUP).send().await.unwrap();
        refused(admin.get_group().group(GROUP).send().await, 404, ErrorCode::GroupNotFound);
    }

    async fn sign_in(&self, username: &str, password: &str) -> SignInOutcome {
        let sign_in = self.admin.sign_in();
        let sign_in = sign_in.body_map(|body| body.username(username).password(Secret::from(password)));
        sign_in.send().await.unwrap().into_inner()
    }

    async fn required_challenge(&self, username: &str, expected: ChallengeName) -> Challenge {
        let SignInOutcome::Challenge(outcome) = self.sign_in(username, PASSWORD).await else {
            unreachable!("tokens instead of {expected}")
        };
        assert_eq!(outcome.challenge.name, expected);
        outcome.challenge
    }

    /// An invited user answers the challenge of the temporary password.
    async fn challenge(&self) {
        let (admin, name) = (&self.admin, "rs-new");
        let new = admin.create_user().body_map(|body| {
            body.username(name)
                .password(Secret::from(PASSWORD))
                .attributes(attributes([("email", "rs-new@example.com")]))
        });
        assert_eq!(new.send().await.unwrap().status, "FORCE_CHANGE_PASSWORD");
        assert_eq!(admin.resend_user_invitation().username(name).send().await.unwrap().username, name);
        let temporary = admin.set_user_password().username(name);
        temporary.body_map(|body| body.password(Secret::from(PASSWORD)).permanent(false)).send().await.unwrap();

        let error = self.as_user(name, PASSWORD).get_myself().send().await.unwrap_err();
        assert_eq!(error.to_string(), "Error: the sign-in requires the challenge NEW_PASSWORD_REQUIRED");
        let challenge = self.required_challenge(name, ChallengeName::NewPasswordRequired).await;
        let body = NewPasswordAnswer {
            attributes: None,
            challenge: NewPasswordAnswerChallenge::NewPasswordRequired,
            new_password: NEW_PASSWORD.into(),
            session: challenge.session.unwrap(),
            username: challenge.username,
        };
        let tokens = tokens(admin.answer_challenge().body(body).send().await.unwrap().into_inner());
        assert_eq!(self.with_token(&tokens).get_myself().send().await.unwrap().username, name);

        let refresh_token = tokens.refresh_token.unwrap();
        let refresh = async || {
            let refresh = admin.refresh();
            refresh.body_map(|body| body.username(name).refresh_token(refresh_token.clone())).send().await
        };
        let refreshed = refresh().await.unwrap().into_inner().tokens;
        let access_token = Some(refreshed.access_token);
        let body = SignOutByRefreshToken { access_token, refresh_token: refresh_token.clone() };
        let signed_out = admin.sign_out().body(body).send().await.unwrap();
        assert!(signed_out.revoked.iter().any(|credential| credential.token == "refresh_token"), "{signed_out:?}");
        refused(refresh().await, 401, ErrorCode::InvalidCredentials);
        self.delete(name).await;
    }

    /// A user signs up, changes the own account and deletes it.
    async fn own_account(&self) {
        let (admin, name) = (&self.admin, "rs-ray");
        let sign_up = async || {
            let sign_up = admin.sign_up().body_map(|body| {
                let attributes = attributes([("email", "rs-ray@example.com")]);
                body.username(name).password(Secret::from(PASSWORD)).attributes(attributes)
            });
            sign_up.send().await
        };
        assert!(sign_up().await.unwrap().confirmed);
        refused(sign_up().await, 409, ErrorCode::UserExists);
        let confirm = admin.confirm_sign_up();
        let confirm = confirm.body_map(|body| body.username(name).code(Secret::from(SIGN_UP_CODE)));
        refused(confirm.send().await, 409, ErrorCode::WrongState);
        admin.resend_code().body_map(|body| body.username(name)).send().await.unwrap();

        admin.forgot_password().body_map(|body| body.username(name)).send().await.unwrap();
        let reset = async |code: &str| {
            let reset = admin.reset_password();
            let (code, password) = (Secret::from(code), Secret::from(NEW_PASSWORD));
            reset.body_map(|body| body.username(name).code(code).new_password(password)).send().await
        };
        refused(reset("000000").await, 422, ErrorCode::CodeMismatch);
        reset(RESET_CODE).await.unwrap();

        let user = self.as_user(name, NEW_PASSWORD);
        assert_eq!(user.get_myself().send().await.unwrap().username, name);
        lacking(user.send_attribute_code().name(SendAttributeCodeName::Email).send().await);
        let verify = user.verify_attribute().name(VerifyAttributeName::Email);
        lacking(verify.body_map(|body| body.code(Secret::from(SIGN_UP_CODE))).send().await);
        let change = async |current: &str| {
            let (current, new) = (Secret::from(current), Secret::from(PASSWORD));
            let change = user.change_own_password();
            change.body_map(|body| body.current_password(current).new_password(new)).send().await
        };
        refused(change(WRONG_PASSWORD).await, 401, ErrorCode::InvalidCredentials);
        change(NEW_PASSWORD).await.unwrap();

        let user = self.as_user(name, PASSWORD);
        let secret = user.start_totp().send().await.unwrap().into_inner().secret;
        user.verify_totp().body_map(|body| body.code(current_code(&secret))).send().await.unwrap();
        let challenge = self.required_challenge(name, ChallengeName::SoftwareTokenMfa).await;
        let body = CodeAnswer {
            challenge: Factor::SoftwareTokenMfa,
            code: current_code(&secret),
            session: challenge.session.unwrap(),
            username: challenge.username,
        };
        let tokens = tokens(admin.answer_challenge().body(body).send().await.unwrap().into_inner());
        let user = self.with_token(&tokens);
        user.remove_totp().send().await.unwrap();
        user.delete_myself().send().await.unwrap();
        refused(admin.get_user().username(name).send().await, 404, ErrorCode::UserNotFound);
    }

    /// Ends all sessions. Sign-ins in the second of the revocation are denied.
    async fn revocation(&self) {
        self.admin.revoke_all().body(RevokeAll { client_id: None }).send().await.unwrap();
        wait_until_valid(&self.admin).await;
    }
}

fn tokens(outcome: SignInOutcome) -> Tokens {
    match outcome {
        SignInOutcome::Tokens(outcome) => outcome.tokens,
        SignInOutcome::Challenge(outcome) => unreachable!("the challenge {} instead of tokens", outcome.challenge.name),
    }
}
