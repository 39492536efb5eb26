//! Tests the requests and parsed responses of user operations.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_create_user::AdminCreateUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_delete_user_attributes::AdminDeleteUserAttributesOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_list_groups_for_user::AdminListGroupsForUserOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_update_user_attributes::AdminUpdateUserAttributesOutput;
use aws_sdk_cognitoidentityprovider::operation::list_users::ListUsersOutput;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, DeliveryMediumType, GroupType, MessageActionType, UserStatusType, UserType,
};
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use aws_smithy_types::DateTime;
use domain::secret::Secret;
use domain::user_pool::directory::{
    AttributeChanges, Comparison, Directory, Filter, FilterBy, NewUser, WelcomeMessage,
};
use domain::user_pool::error::Reason;
use domain::user_pool::page::PageRequest;
use domain::user_pool::user::{Attributes, UserStatus, Username};

use serde_json::{Value, json};

use super::fake_aws::FakeAws;
use super::pool;
use crate::CognitoDirectory;

fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder().name(name).value(value).build().unwrap()
}

fn mia() -> UserType {
    UserType::builder()
        .username("mia")
        .attributes(attribute("email", "mia@example.com"))
        .enabled(true)
        .user_status(UserStatusType::ForceChangePassword)
        .user_create_date(DateTime::from_secs(1_700_000_000))
        .user_last_modified_date(DateTime::from_secs(1_700_000_100))
        .build()
}

#[tokio::test]
async fn a_filter_prefix_cannot_escape_its_quotes() {
    let rule = mock!(Client::list_users)
        .match_requests(|request| request.filter() == Some(r#"email ^= "a\"b\\c""#))
        .then_output(|| ListUsersOutput::builder().users(mia()).build());
    let directory = CognitoDirectory::new(mock_client!(aws_sdk_cognitoidentityprovider, [&rule]), "pool");
    assert_eq!(directory.with_email_prefix(r#"a"b\c"#).await.unwrap()[0].username.as_str(), "mia");
}

#[tokio::test]
async fn welcome_message_uses_an_available_medium_or_is_suppressed() {
    let cases = [
        (&[("email", "mia@example.com")][..], WelcomeMessage::Send, vec![DeliveryMediumType::Email], None),
        (&[("phone_number", "+15550100")][..], WelcomeMessage::Send, vec![DeliveryMediumType::Sms], None),
        (&[][..], WelcomeMessage::Send, vec![DeliveryMediumType::Email], None),
        (&[][..], WelcomeMessage::Suppress, vec![], Some(MessageActionType::Suppress)),
    ];
    for (attributes, welcome_message, mediums, action) in cases {
        let rule = mock!(Client::admin_create_user)
            .match_requests(move |request| {
                request.desired_delivery_mediums() == mediums
                    && request.message_action() == action.as_ref()
                    && request.temporary_password() == Some("Correct-Horse-1")
                    && request.user_pool_id() == Some("pool")
            })
            .then_output(|| AdminCreateUserOutput::builder().user(mia()).build());
        let user = NewUser {
            username: "mia".parse().unwrap(),
            attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            temporary_password: Some(Secret::new("Correct-Horse-1")),
            welcome_message,
        };
        let client = mock_client!(aws_sdk_cognitoidentityprovider, [&rule]);
        let created = CognitoDirectory::new(client, "pool").create(&user).await.unwrap();
        assert_eq!(created.status, UserStatus::ForceChangePassword);
        assert_eq!(created.created_at.unix_timestamp(), 1_700_000_000);
    }
}

#[tokio::test]
async fn reads_users_alike_from_get_and_list() {
    let get = mock!(Client::admin_get_user).then_output(|| {
        AdminGetUserOutput::builder()
            .username("mia")
            .user_attributes(attribute("email", "mia@example.com"))
            .enabled(true)
            .user_status(UserStatusType::ForceChangePassword)
            .user_create_date(DateTime::from_secs(1_700_000_000))
            .user_last_modified_date(DateTime::from_secs(1_700_000_100))
            .build()
            .unwrap()
    });
    let list = mock!(Client::list_users)
        .match_requests(|request| request.limit() == Some(7) && request.pagination_token() == Some("here"))
        .then_output(|| ListUsersOutput::builder().users(mia()).pagination_token("there").build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&get, &list]);
    let directory = CognitoDirectory::new(client, "pool");

    let found = directory.get(&"mia".parse().unwrap()).await.unwrap();
    let page = directory.list(None, &PageRequest { limit: 7, after: Some("here".to_owned()) }).await.unwrap();
    assert_eq!((page.entries.as_slice(), page.next.as_deref()), (&[found.clone()][..], Some("there")));
    assert_eq!(found.attributes["email"], "mia@example.com");
}

#[tokio::test]
async fn keeps_unknown_user_statuses() {
    let list = mock!(Client::list_users).then_output(|| {
        let mut user = mia();
        user.user_status = Some(UserStatusType::from("SLEEPING"));
        ListUsersOutput::builder().users(user).build()
    });
    let client = mock_client!(aws_sdk_cognitoidentityprovider, [&list]);
    let page = CognitoDirectory::new(client, "pool").list(None, &PageRequest { limit: 60, after: None }).await.unwrap();
    assert_eq!(page.entries[0].status, UserStatus::Other("SLEEPING".to_owned()));
}

#[tokio::test]
async fn responses_without_required_fields_are_errors() {
    let create = mock!(Client::admin_create_user).then_output(|| AdminCreateUserOutput::builder().build());
    let list = mock!(Client::list_users)
        .then_output(|| ListUsersOutput::builder().users(UserType::builder().username("mia").build()).build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&create, &list]);
    let directory = CognitoDirectory::new(client, "pool");
    let user = NewUser {
        username: "mia".parse().unwrap(),
        attributes: Attributes::new(),
        temporary_password: None,
        welcome_message: WelcomeMessage::Suppress,
    };
    assert_eq!(directory.create(&user).await.unwrap_err().reason, Reason::Internal);
    let page = directory.list(None, &PageRequest { limit: 60, after: None }).await;
    assert_eq!(page.unwrap_err().reason, Reason::Internal);
}

#[tokio::test]
async fn attribute_changes_send_only_the_needed_calls() {
    let set = mock!(Client::admin_update_user_attributes)
        .match_requests(|request| request.user_attributes() == [attribute("name", "Mia")])
        .then_output(|| AdminUpdateUserAttributesOutput::builder().build());
    let remove = mock!(Client::admin_delete_user_attributes)
        .match_requests(|request| request.user_attribute_names() == ["nickname"])
        .then_output(|| AdminDeleteUserAttributesOutput::builder().build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&set, &remove]);
    let directory = CognitoDirectory::new(client, "pool");
    let mia = "mia".parse().unwrap();

    let name = Attributes::from([("name".to_owned(), "Mia".to_owned())]);
    let only_set = AttributeChanges { set: name, remove: vec![] };
    directory.change_attributes(&mia, &only_set).await.unwrap();
    assert_eq!((set.num_calls(), remove.num_calls()), (1, 0));

    let only_remove = AttributeChanges { set: Attributes::new(), remove: vec!["nickname".to_owned()] };
    directory.change_attributes(&mia, &only_remove).await.unwrap();
    assert_eq!((set.num_calls(), remove.num_calls()), (1, 1));
}

#[tokio::test]
async fn reads_all_pages_of_groups() {
    let page = |name: &'static str, next: Option<&'static str>| {
        AdminListGroupsForUserOutput::builder()
            .groups(GroupType::builder().group_name(name).role_arn(format!("role/{name}")).build())
            .groups(GroupType::builder().group_name(format!("{name}-2")).build())
            .set_next_token(next.map(str::to_owned))
            .build()
    };
    let first = mock!(Client::admin_list_groups_for_user)
        .match_requests(|request| request.next_token().is_none())
        .then_output(move || page("admins", Some("more")));
    let second = mock!(Client::admin_list_groups_for_user)
        .match_requests(|request| request.next_token() == Some("more"))
        .then_output(move || page("support", None));
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&first, &second]);
    let groups = CognitoDirectory::new(client, "pool").groups(&"mia".parse().unwrap()).await.unwrap();
    let groups: Vec<_> = groups.iter().map(|each| (each.group.as_str(), each.role_arn.as_deref())).collect();
    let expected =
        [("admins", Some("role/admins")), ("admins-2", None), ("support", Some("role/support")), ("support-2", None)];
    assert_eq!(groups, expected);
}

#[tokio::test]
async fn response_without_groups_is_no_empty_list() {
    let mia: Username = "mia".parse().unwrap();
    for (answer, expected) in [(json!({"Groups": []}), Some(0)), (json!({}), None), (json!({"Groups": [{}]}), None)] {
        let fake = FakeAws::answering([("AdminListGroupsForUser", answer.clone())]);
        let groups = pool(&fake).await.groups(&mia).await;
        assert_eq!(groups.ok().map(|groups| groups.len()), expected, "{answer}");
    }
}

fn mia_json() -> Value {
    json!({
        "Username": "mia",
        "Enabled": true,
        "UserStatus": "FORCE_CHANGE_PASSWORD",
        "UserCreateDate": 1,
        "UserLastModifiedDate": 2,
    })
}

#[tokio::test]
async fn sends_the_filter_with_the_page() {
    let fake = FakeAws::answering([("ListUsers", json!({"Users": [mia_json()], "PaginationToken": "there"}))]);
    let value = "M\"i\\a\n ü日".to_owned();
    let filter = Filter { by: FilterBy::Name, comparison: Comparison::BeginsWith, value };
    let page = PageRequest { limit: 7, after: Some("here".to_owned()) };
    let page = pool(&fake).await.list(Some(&filter), &page).await.unwrap();
    assert_eq!((page.entries.len(), page.next.as_deref()), (1, Some("there")));
    let expected = json!({
        "UserPoolId": "pool",
        "Limit": 7,
        "PaginationToken": "here",
        "Filter": "name ^= \"M\\\"i\\\\a\n ü日\"",
    });
    assert_eq!(fake.sent("ListUsers"), expected);
}

#[tokio::test]
async fn an_invalid_pagination_token_is_an_invalid_request() {
    let fake = FakeAws::rejecting("ListUsers", "InvalidParameterException", "Invalid pagination token provided.");
    let page = PageRequest { limit: 60, after: Some("forged".to_owned()) };
    let error = pool(&fake).await.list(None, &page).await.unwrap_err();
    assert_eq!(error.reason, Reason::InvalidRequest);
}

#[tokio::test]
async fn simple_user_operations_send_only_the_username() {
    let fake = FakeAws::answering([]);
    let (pool, mia) = (pool(&fake).await, "mia".parse().unwrap());
    pool.reset_password(&mia).await.unwrap();
    pool.enable(&mia).await.unwrap();
    pool.disable(&mia).await.unwrap();
    for operation in ["AdminResetUserPassword", "AdminEnableUser", "AdminDisableUser"] {
        assert_eq!(fake.sent(operation), json!({"UserPoolId": "pool", "Username": "mia"}), "{operation}");
    }
    pool.remove_from_group(&mia, "admins").await.unwrap();
    let expected = json!({"UserPoolId": "pool", "Username": "mia", "GroupName": "admins"});
    assert_eq!(fake.sent("AdminRemoveUserFromGroup"), expected);
}

#[tokio::test]
async fn resends_the_welcome_message_by_an_available_medium() {
    for (attributes, medium) in
        [(json!({"email": "mia@example.com"}), "EMAIL"), (json!({"phone_number": "+15550100"}), "SMS")]
    {
        let attributes: Attributes = serde_json::from_value(attributes).unwrap();
        let fake = FakeAws::answering([("AdminCreateUser", json!({"User": mia_json()}))]);
        let invited = pool(&fake).await.resend_invitation(&"mia".parse().unwrap(), &attributes).await.unwrap();
        assert_eq!(invited.status, UserStatus::ForceChangePassword);
        let expected = json!({
            "UserPoolId": "pool", "Username": "mia", "MessageAction": "RESEND", "DesiredDeliveryMediums": [medium]
        });
        assert_eq!(fake.sent("AdminCreateUser"), expected);
    }

    let without_user =
        pool(&FakeAws::answering([])).await.resend_invitation(&"mia".parse().unwrap(), &Attributes::new()).await;
    assert_eq!(without_user.unwrap_err().reason, Reason::Internal, "a response without a user");
}

#[tokio::test]
async fn rejects_a_password_reset_that_the_user_state_does_not_allow() {
    let no_address = "Cannot reset password for the user as there is no registered/verified email or phone_number";
    let table = [
        ("NotAuthorizedException", "User password cannot be reset in the current state.", Reason::WrongState),
        ("InvalidParameterException", no_address, Reason::WrongState),
        ("InvalidParameterException", "1 validation error detected", Reason::InvalidRequest),
    ];
    for (code, message, expected) in table {
        let fake = FakeAws::rejecting("AdminResetUserPassword", code, message);
        let error = pool(&fake).await.reset_password(&"mia".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.reason, expected, "{message}");
    }
}

#[tokio::test]
async fn distinguishes_unknown_groups_from_an_unknown_pool() {
    let table = [("Group not found.", Reason::GroupNotFound), ("User pool pool does not exist.", Reason::Internal)];
    for (message, expected) in table {
        let fake = FakeAws::rejecting("AdminRemoveUserFromGroup", "ResourceNotFoundException", message);
        let error = pool(&fake).await.remove_from_group(&"mia".parse().unwrap(), "admins").await.unwrap_err();
        assert_eq!(error.reason, expected, "{message}");
    }
}
