//! Users: what is sent to Cognito, and what is made of its answers.

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
use domain::directory::{AttributeChanges, Directory, Invitation, NewUser, PageRequest};
use domain::secret::Secret;
use domain::user::{Attributes, UserStatus};
use domain::user_pool_error::Reason;

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
async fn a_prefix_in_a_filter_cannot_end_its_own_quotes() {
    let rule = mock!(Client::list_users)
        .match_requests(|request| request.filter() == Some(r#"email ^= "a\"b\\c""#))
        .then_output(|| ListUsersOutput::builder().users(mia()).build());
    let directory = CognitoDirectory::new(mock_client!(aws_sdk_cognitoidentityprovider, [&rule]), "pool");
    assert_eq!(directory.with_email_prefix(r#"a"b\c"#).await.unwrap()[0].username.as_str(), "mia");
}

#[tokio::test]
async fn an_invitation_goes_by_mail_where_there_is_an_address_and_not_at_all_where_it_is_suppressed() {
    let cases = [
        (&[("email", "mia@example.com")][..], Invitation::Send, vec![DeliveryMediumType::Email], None),
        (&[("phone_number", "+15550100")][..], Invitation::Send, vec![DeliveryMediumType::Sms], None),
        (&[][..], Invitation::Send, vec![DeliveryMediumType::Email], None),
        (&[][..], Invitation::Suppress, vec![], Some(MessageActionType::Suppress)),
    ];
    for (attributes, invitation, mediums, action) in cases {
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
            invitation,
        };
        let client = mock_client!(aws_sdk_cognitoidentityprovider, [&rule]);
        let created = CognitoDirectory::new(client, "pool").create(&user).await.unwrap();
        assert_eq!(created.status, UserStatus::ForceChangePassword);
        assert_eq!(created.created_at.unix_timestamp(), 1_700_000_000);
    }
}

#[tokio::test]
async fn a_user_is_read_alike_from_a_lookup_and_from_a_list() {
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
    let page = directory.list(&PageRequest { limit: 7, after: Some("here".to_owned()) }).await.unwrap();
    assert_eq!((page.users.as_slice(), page.next.as_deref()), (&[found.clone()][..], Some("there")));
    assert_eq!(found.attributes["email"], "mia@example.com");
}

#[tokio::test]
async fn a_status_that_nobody_knows_yet_is_kept_as_it_is_spelt() {
    let list = mock!(Client::list_users).then_output(|| {
        let mut user = mia();
        user.user_status = Some(UserStatusType::from("SLEEPING"));
        ListUsersOutput::builder().users(user).build()
    });
    let client = mock_client!(aws_sdk_cognitoidentityprovider, [&list]);
    let page = CognitoDirectory::new(client, "pool").list(&PageRequest { limit: 60, after: None }).await.unwrap();
    assert_eq!(page.users[0].status, UserStatus::Other("SLEEPING".to_owned()));
}

#[tokio::test]
async fn an_answer_without_what_it_always_holds_is_an_error_and_no_panic() {
    let create = mock!(Client::admin_create_user).then_output(|| AdminCreateUserOutput::builder().build());
    let list = mock!(Client::list_users)
        .then_output(|| ListUsersOutput::builder().users(UserType::builder().username("mia").build()).build());
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&create, &list]);
    let directory = CognitoDirectory::new(client, "pool");
    let user = NewUser {
        username: "mia".parse().unwrap(),
        attributes: Attributes::new(),
        temporary_password: None,
        invitation: Invitation::Suppress,
    };
    assert_eq!(directory.create(&user).await.unwrap_err().reason, Reason::Internal);
    let page = directory.list(&PageRequest { limit: 60, after: None }).await;
    assert_eq!(page.unwrap_err().reason, Reason::Internal);
}

#[tokio::test]
async fn only_the_calls_that_a_change_of_attributes_needs_are_made() {
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
async fn groups_are_read_to_the_last_page() {
    let page = |name: &'static str, next: Option<&'static str>| {
        AdminListGroupsForUserOutput::builder()
            .groups(GroupType::builder().group_name(name).build())
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
    assert_eq!(groups, ["admins", "support"]);
}
