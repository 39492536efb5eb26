//! Tests the parameter `Roles`. Invalid values fail the deployment with the reason. Valid values work in every form.

use local::arguments::Options;
use local::deployment::parameters;
use testkit::local_aws::{LocalAws, Recording, Stack, Tools};

#[tokio::test]
async fn wrong_roles_fail_the_deployment_with_the_reason() {
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    let template = Tools::find().unwrap().built_template().unwrap();
    let with = |name: &str, roles: &str| {
        let mut parameters = parameters(&Options::default());
        for (parameter, value) in [("PoolName", name), ("Groups", "admins, support"), ("Roles", roles)] {
            parameters.insert(parameter.to_owned(), value.to_owned());
        }
        parameters
    };
    let table = [
        ("quotes", "{admins:[all]}", "Roles: must be groups with permissions, such as `admins=all,"),
        ("group", "readers=users:read", "Roles: the group `readers` does not exist; add it to the parameter Groups"),
    ];
    for (name, roles, reason) in table {
        let failed = Stack::deploy(&aws, name, &template, &with(name, roles)).await.unwrap_err().to_string();
        assert!(failed.contains("UserPool (Custom::PoolkeeperUserPool): ") && failed.contains(reason), "{failed}");
    }
    let right = with("right", "admins=all, support=users:read");
    Stack::deploy(&aws, "right", &template, &right).await.unwrap();
}
