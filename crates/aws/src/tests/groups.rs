//! Tests the requests and parsed responses of group operations.

use domain::user_pool::error::Reason;
use domain::user_pool::groups::{Group, GroupDetails, GroupName, Groups};
use domain::user_pool::page::PageRequest;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::fake_aws::FakeAws;
use super::pool;

fn admins() -> GroupName {
    "admins".parse().unwrap()
}

fn group_json() -> Value {
    json!({
        "GroupName": "admins",
        "UserPoolId": "pool",
        "Description": "All permissions",
        "RoleArn": "arn:aws:iam::111122223333:role/admins",
        "Precedence": 0,
        "CreationDate": 1,
        "LastModifiedDate": 2,
    })
}

fn expected_group() -> Group {
    Group {
        name: admins(),
        description: Some("All permissions".to_owned()),
        precedence: Some(0),
        role_arn: Some("arn:aws:iam::111122223333:role/admins".to_owned()),
        created_at: OffsetDateTime::from_unix_timestamp(1).unwrap(),
        modified_at: OffsetDateTime::from_unix_timestamp(2).unwrap(),
    }
}

#[tokio::test]
async fn reads_groups_alike_from_every_response() {
    let response = json!({ "Group": group_json() });
    let fake = FakeAws::answering([
        ("GetGroup", response.clone()),
        ("CreateGroup", response.clone()),
        ("UpdateGroup", response),
        ("ListGroups", json!({"Groups": [group_json()], "NextToken": "there"})),
    ]);
    let (pool, details) = (pool(&fake).await, GroupDetails::default());
    assert_eq!(pool.group(&admins()).await.unwrap(), expected_group());
    assert_eq!(pool.create_group(&admins(), &details).await.unwrap(), expected_group());
    assert_eq!(pool.update_group(&admins(), &details).await.unwrap(), expected_group());
    let page = pool.list_groups(&PageRequest { limit: 7, after: Some("here".to_owned()) }).await.unwrap();
    assert_eq!((page.entries, page.next.as_deref()), (vec![expected_group()], Some("there")));
    assert_eq!(fake.sent("ListGroups"), json!({"UserPoolId": "pool", "Limit": 7, "NextToken": "here"}));
}

#[tokio::test]
async fn an_empty_role_means_no_role() {
    let mut group = group_json();
    group["RoleArn"] = json!("");
    let fake = FakeAws::answering([("GetGroup", json!({ "Group": group }))]);
    assert_eq!(pool(&fake).await.group(&admins()).await.unwrap(), Group { role_arn: None, ..expected_group() });
}

#[tokio::test]
async fn creates_groups_with_the_given_fields_only() {
    let fake = FakeAws::answering([("CreateGroup", json!({ "Group": group_json() }))]);
    let pool = pool(&fake).await;
    pool.create_group(&admins(), &GroupDetails::default()).await.unwrap();
    assert_eq!(fake.sent("CreateGroup"), json!({"UserPoolId": "pool", "GroupName": "admins"}));

    let details = GroupDetails { description: Some("All permissions".to_owned()), precedence: Some(0) };
    pool.create_group(&admins(), &details).await.unwrap();
    let expected =
        json!({"UserPoolId": "pool", "GroupName": "admins", "Description": "All permissions", "Precedence": 0});
    assert_eq!(fake.sent("CreateGroup"), expected);
}

#[tokio::test]
async fn group_updates_preserve_the_other_fields() {
    let table = [
        (GroupDetails { description: Some("New".to_owned()), precedence: None }, "New", 0),
        (GroupDetails { description: None, precedence: Some(7) }, "All permissions", 7),
        (GroupDetails { description: Some(String::new()), precedence: Some(i32::MAX.unsigned_abs()) }, "", i32::MAX),
    ];
    for (details, description, precedence) in table {
        let response = json!({ "Group": group_json() });
        let fake = FakeAws::answering([("GetGroup", response.clone()), ("UpdateGroup", response)]);
        pool(&fake).await.update_group(&admins(), &details).await.unwrap();
        let expected = json!({
            "UserPoolId": "pool",
            "GroupName": "admins",
            "Description": description,
            "RoleArn": "arn:aws:iam::111122223333:role/admins",
            "Precedence": precedence,
        });
        assert_eq!(fake.sent("UpdateGroup"), expected);
    }
}

#[tokio::test]
async fn rejects_a_precedence_above_cognitos_limit() {
    let details = GroupDetails { description: None, precedence: Some(1 << 31) };
    let fake = FakeAws::answering([]);
    let pool = pool(&fake).await;
    assert_eq!(pool.create_group(&admins(), &details).await.unwrap_err().reason, Reason::InvalidRequest);
    assert_eq!(pool.update_group(&admins(), &details).await.unwrap_err().reason, Reason::InvalidRequest);
    assert_eq!((fake.calls("CreateGroup"), fake.calls("UpdateGroup")), (0, 0));
}

#[tokio::test]
async fn members_are_read_page_by_page() {
    let mia = json!({
        "Username": "mia",
        "Attributes": [{"Name": "email", "Value": "mia@example.com"}],
        "Enabled": true,
        "UserStatus": "CONFIRMED",
        "UserCreateDate": 1,
        "UserLastModifiedDate": 2,
    });
    let fake = FakeAws::answering([("ListUsersInGroup", json!({"Users": [mia], "NextToken": "there"}))]);
    let page = PageRequest { limit: 60, after: Some("here".to_owned()) };
    let page = pool(&fake).await.members(&admins(), &page).await.unwrap();
    assert_eq!(
        (page.entries[0].attributes["email"].as_str(), page.next.as_deref()),
        ("mia@example.com", Some("there"))
    );
    let expected = json!({"UserPoolId": "pool", "GroupName": "admins", "Limit": 60, "NextToken": "here"});
    assert_eq!(fake.sent("ListUsersInGroup"), expected);
}

#[tokio::test]
async fn distinguishes_unknown_groups_from_an_unknown_pool() {
    let table = [("Group not found.", Reason::GroupNotFound), ("User pool pool does not exist.", Reason::Internal)];
    for (message, expected) in table {
        let rejecting =
            async |operation| pool(&FakeAws::rejecting(operation, "ResourceNotFoundException", message)).await;
        let (page, details) = (PageRequest { limit: 60, after: None }, GroupDetails::default());
        let errors = [
            rejecting("GetGroup").await.group(&admins()).await.unwrap_err(),
            rejecting("GetGroup").await.update_group(&admins(), &details).await.unwrap_err(),
            rejecting("DeleteGroup").await.delete_group(&admins()).await.unwrap_err(),
            rejecting("ListUsersInGroup").await.members(&admins(), &page).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.reason, expected, "{}", error.operation);
        }
    }
}

#[tokio::test]
async fn groups_without_required_fields_are_errors() {
    for field in ["GroupName", "CreationDate", "LastModifiedDate"] {
        let mut group = group_json();
        group.as_object_mut().unwrap().remove(field);
        let fake = FakeAws::answering([("GetGroup", json!({ "Group": group }))]);
        assert_eq!(pool(&fake).await.group(&admins()).await.unwrap_err().reason, Reason::Internal, "{field}");
    }
    let error = pool(&FakeAws::answering([])).await.group(&admins()).await.unwrap_err();
    assert_eq!(error.reason, Reason::Internal, "a response without a group");
}
