"""Tests parts of the template that the emulator does not support, such as preflight requests and deletion policies."""

import itertools
import json
import re
import unittest
from pathlib import Path

import oracle
from calls import Right
from template import ACCOUNT, OWN_BOUNDARY, OWN_TABLE, REGION, Template, actions

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "template.yaml").read_text()
API = json.loads((ROOT / "docs/openapi.json").read_text())
ORIGINS = "https://admin.example.com, https://shop.example.com"


def resources(kind, **parameters):
    """The resources of a kind that a deployment with these parameters creates."""
    template = Template(TEXT, **parameters)
    return {
        name: resource
        for name, resource in template.body["Resources"].items()
        if resource["Type"] == kind and ("Condition" not in resource or template.condition(resource["Condition"]))
    }


def routes(**parameters):
    """The authorization of each route."""
    template = Template(TEXT, **parameters)
    found = resources("AWS::ApiGatewayV2::Route", **parameters).values()
    properties = [route["Properties"] for route in found]
    return {one["RouteKey"]: template.resolve(one["AuthorizationType"]) for one in properties}


def cors(**parameters):
    (api,) = resources("AWS::ApiGatewayV2::Api", **parameters).values()
    return Template(TEXT, **parameters).resolve(api["Properties"]["CorsConfiguration"])


class Preflight(unittest.TestCase):
    def test_every_route_has_a_preflight_route_without_authorization(self):
        # API Gateway uses CorsConfiguration for a preflight request only if the request matches no route with an
        # authorizer.
        for authorization, jobs, number in [("NONE", "false", 2), ("AWS_IAM", "true", 4)]:
            found = routes(AllowedOrigins=ORIGINS, AuthAuthorization=authorization, Jobs=jobs)
            paths = {key.removeprefix("ANY ") for key in found if key.startswith("ANY ")}
            self.assertEqual(len(paths), number)
            preflight = {path: found.get(f"OPTIONS {path}") for path in paths}
            self.assertEqual(preflight, dict.fromkeys(paths, "NONE"))

    def test_without_origins_no_route_is_open_for_preflight(self):
        self.assertEqual([key for key in routes(Jobs="true") if key.startswith("OPTIONS")], [])
        self.assertIsNone(cors())

    def test_origins_methods_and_headers_are_those_of_the_api(self):
        found = cors(AllowedOrigins=ORIGINS)
        self.assertEqual(found["AllowOrigins"], ["https://admin.example.com", "https://shop.example.com"])
        operations = [
            (method.upper(), operation) for path in API["paths"].values() for method, operation in path.items()
        ]
        self.assertEqual(set(found["AllowMethods"]), {method for method, _ in operations})
        parameters = [one for _, operation in operations for one in operation.get("parameters", [])]
        documented = {one["name"].lower() for one in parameters if one["in"] == "header"}
        self.assertEqual(set(found["AllowHeaders"]), documented | {"authorization", "content-type", "x-access-token"})
        self.assertNotIn("AllowCredentials", found)


class Auth(unittest.TestCase):
    ROUTE = "ANY /v1/auth/{proxy+}"

    def test_auth_routes_use_auth_authorization(self):
        for authorization in ["NONE", "AWS_IAM"]:
            self.assertEqual(routes(AuthAuthorization=authorization)[self.ROUTE], authorization)

    def test_auth_routes_have_their_own_limits(self):
        limits = {"RequestsPerSecond": 1, "RequestBurst": 2, "AuthRequestsPerSecond": 3, "AuthRequestBurst": 4}
        (stage,) = resources("AWS::ApiGatewayV2::Stage", **limits).values()
        settings = Template(TEXT, **limits).resolve(stage["Properties"]["RouteSettings"])
        self.assertEqual(settings, {self.ROUTE: {"ThrottlingRateLimit": 3, "ThrottlingBurstLimit": 4}})

    def test_auth_function_reserves_concurrency_only_if_it_is_set(self):
        function = resources("AWS::Serverless::Function")["AuthApiFunction"]["Properties"]
        for concurrency, reserved in [("", None), ("7", "7")]:
            template = Template(TEXT, AuthApiConcurrency=concurrency, AdminApiConcurrency="8")
            self.assertEqual(template.resolve(function.get("ReservedConcurrentExecutions")), reserved)


class Settings(unittest.TestCase):
    def test_functions_get_boundary_and_admin_mfa(self):
        functions = resources("AWS::Serverless::Function")
        for function, variable, name in [
            ("PoolBootstrapFunction", "PERMISSIONS_BOUNDARY_ARN", "AuthenticatedBoundary"),
            ("AdminApiFunction", "ADMIN_MFA", "AdminMfa"),
        ]:
            variables = functions[function]["Properties"]["Environment"]["Variables"]
            self.assertEqual(variables.get(variable), {"Ref": name}, function)

    def spec(self, **parameters):
        """MFA and the app clients in the Spec of the user pool."""
        spec = Template(TEXT).body["Resources"]["UserPool"]["Properties"]["Spec"]
        return Template(TEXT, **parameters).resolve({name: spec.get(name) for name in ["mfa", "clients"]})

    def test_spec_refers_to_each_of_its_parameters(self):
        web = {"AccessTokenMinutes": 20, "WriteAttributes": "name,locale", "ReadAttributes": "email,name"}
        backend = {"BackendWriteAttributes": "custom:team,name", "BackendReadAttributes": "custom:team,email"}
        of_web = {
            "access_token_minutes": 20,
            "write_attributes": ["name", "locale"],
            "read_attributes": ["email", "name"],
        }
        of_backend = {
            "access_token_minutes": 10,
            "write_attributes": ["custom:team", "name"],
            "read_attributes": ["custom:team", "email"],
        }
        self.assertEqual(
            self.spec(Mfa="required", BackendAccessTokenMinutes=10, **web, **backend),
            {"mfa": "required", "clients": {"backend": of_backend, "web": of_web}},
        )
        # The attribute lists of the backend client default to those of the web client. Its token lifetime does not.
        self.assertEqual(
            self.spec(Mfa="optional", **web),
            {"mfa": "optional", "clients": {"backend": {**of_web, "access_token_minutes": 15}, "web": of_web}},
        )
        # Each list of the backend client replaces only its counterpart.
        for parameter, member in [
            ("BackendWriteAttributes", "write_attributes"),
            ("BackendReadAttributes", "read_attributes"),
        ]:
            clients = self.spec(**web, **{parameter: backend[parameter]})["clients"]
            expected = {**of_web, "access_token_minutes": 15, member: of_backend[member]}
            self.assertEqual(clients, {"backend": expected, "web": of_web}, parameter)
        self.assertEqual(
            self.spec(),
            {"mfa": "off", "clients": {"backend": {"access_token_minutes": 15}, "web": {"access_token_minutes": 60}}},
        )

    def test_pool_name_contains_no_dot(self):
        # The permissions of a stack cover names that begin with the name of its pool and a dot.
        pattern = Template(TEXT).body["Parameters"]["PoolName"]["AllowedPattern"]
        names = ["shop", "shop-prod", "shop.prod", "shop.", ".shop"]
        self.assertEqual([name for name in names if re.search(pattern, name)], ["shop", "shop-prod"])

    def test_bootstrap_replies_to_no_other_host_by_default(self):
        self.assertEqual(Template(TEXT).body["Parameters"]["LocalReplyHost"]["Default"], "")


class Logs(unittest.TestCase):
    AUDITED = ["AdminApiFunction", "AuthApiFunction", "JobsApiFunction"]

    def groups(self, on_delete):
        """The log group of each function that writes audit records: its resource."""
        template = Template(TEXT, OnDelete=on_delete, Jobs="true")
        groups = resources("AWS::Logs::LogGroup", OnDelete=on_delete, Jobs="true")
        functions = template.body["Resources"]
        references = [functions[one]["Properties"]["LoggingConfig"]["LogGroup"] for one in self.AUDITED]
        return template, [groups[template.logical_name(reference)] for reference in references]

    def test_audit_records_outlive_the_stack_like_the_pool(self):
        for on_delete, policy in [("retain", "RetainExceptOnCreate"), ("delete", None)]:
            _, groups = self.groups(on_delete)
            self.assertEqual({group.get("DeletionPolicy") for group in groups}, {policy})

    def test_log_group_names_end_in_the_stack_id(self):
        for on_delete in ["retain", "delete"]:
            template, groups = self.groups(on_delete)
            names = [template.resolve(group["Properties"]["LogGroupName"]) for group in groups]
            # The expected suffix is the last segment of the stack's id in template.py.
            self.assertTrue(all(name.endswith("-stack") for name in names), names)
            self.assertEqual(len(set(names)), len(self.AUDITED))


class SessionGate(unittest.TestCase):
    def tables(self, **parameters):
        """The tables of a deployment, and the table in settings and output."""
        template = Template(TEXT, **parameters)
        found = resources("AWS::DynamoDB::Table", **parameters)
        functions = resources("AWS::Serverless::Function", **parameters).values()
        settings = [function["Properties"]["Environment"]["Variables"].get("REVOCATION_TABLE") for function in functions]
        output = template.body["Outputs"]["RevocationTableName"]
        outputs = [output["Value"]] if template.condition(output["Condition"]) else []
        return found, [template.resolve(one) for one in [*settings, *outputs] if one]

    def test_table_outlives_the_stack_like_the_pool(self):
        for on_delete, policy in [("retain", "RetainExceptOnCreate"), ("delete", "Delete")]:
            found, names = self.tables(OnDelete=on_delete)
            self.assertEqual([one["DeletionPolicy"] for one in found.values()], [policy])
            self.assertEqual(names, [OWN_TABLE] * 4)

    def test_given_table_replaces_the_table_of_the_stack(self):
        for on_delete in ["retain", "delete"]:
            found, names = self.tables(OnDelete=on_delete, RevocationTable="earlier")
            self.assertEqual((found, names), ({}, ["earlier"] * 4))

    def test_without_gate_there_is_no_table(self):
        for on_delete in ["retain", "delete"]:
            found, names = self.tables(OnDelete=on_delete, SessionGate="false")
            self.assertEqual((found, names), ({}, [""] * 2))

    def test_both_tables_have_the_same_properties(self):
        first, second = (self.tables(OnDelete=on_delete)[0] for on_delete in ["retain", "delete"])
        properties = [one["Properties"] for one in [*first.values(), *second.values()]]
        self.assertEqual(properties[0], properties[1])
        # A fixed name would collide with that of a retained table.
        self.assertNotIn("TableName", properties[0])
        self.assertEqual(properties[0]["BillingMode"], "PAY_PER_REQUEST")
        self.assertTrue(properties[0]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        # The names of the attributes are those of the adapter.
        adapter = (ROOT / "crates/aws/src/revocation_table.rs").read_text()
        constants = dict(re.findall(r'const (\w+): &str = "(\w+)"', adapter))
        keys = [one["AttributeName"] for one in properties[0]["KeySchema"]]
        self.assertEqual(keys, [constants["KEY"]])
        time_to_live = {"AttributeName": constants["EXPIRES_AT"], "Enabled": True}
        self.assertEqual(properties[0]["TimeToLiveSpecification"], time_to_live)

    def test_only_authorizer_and_api_use_the_table(self):
        expected = {
            "AdminApiRole": {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
            "AuthApiRole": {"dynamodb:UpdateItem"},
            "AuthorizerRole": {"dynamodb:BatchGetItem"},
        }
        for gate, granted in [("true", expected), ("false", {})]:
            roles = Template(TEXT, SessionGate=gate).roles()
            found = {}
            for role, statements in roles.items():
                for _, statement in statements:
                    used = {one for one in actions(statement) if one.startswith("dynamodb:")}
                    if used:
                        found.setdefault(role, set()).update(used)
                        self.assertEqual(statement["Resource"], f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{OWN_TABLE}")
            self.assertEqual(found, granted)


class UserMigration(unittest.TestCase):
    FROM_POOL = {"MigrationUserPoolId": "eu-west-1_Old", "MigrationClientId": "abc"}
    FROM_ENDPOINT = {"MigrationEndpoint": "https://old.example.com", "MigrationSecretParameter": "/old/secret"}

    def names(self, **parameters):
        """The resources and outputs of a deployment that concern the migration."""
        template = Template(TEXT, **parameters)
        found = [*template.body["Resources"].items(), *template.body["Outputs"].items()]
        existing = [name for name, one in found if "Condition" not in one or template.condition(one["Condition"])]
        return sorted(name for name in existing if "Migration" in name)

    def test_nothing_exists_without_a_source(self):
        alarms = {"AlarmEmail": "ops@example.com", "Dashboard": "true"}
        self.assertEqual(self.names(**alarms), [])
        trigger = ["Function", "FunctionArn", "Logs", "Permission", "Role"]
        for source in [self.FROM_POOL, self.FROM_ENDPOINT]:
            self.assertEqual(self.names(**source), [f"UserMigration{name}" for name in trigger])
            with_alarms = sorted([*trigger, "ErrorsAlarm", "ThrottlesAlarm"])
            self.assertEqual(self.names(**alarms, **source), [f"UserMigration{name}" for name in with_alarms])

    def test_pool_has_the_trigger_only_with_a_source(self):
        spec = Template(TEXT).body["Resources"]["UserPool"]["Properties"]["Spec"]["user_migration_function_arn"]
        function = {"Fn::GetAtt": ["UserMigrationFunction", "Arn"]}
        self.assertEqual(spec, {"Fn::If": ["HasUserMigration", function, {"Ref": "AWS::NoValue"}]})

    def test_role_reads_only_the_old_directory(self):
        pool = "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/eu-west-1_Old"
        secret = "arn:aws:ssm:us-east-1:000000000000:parameter/old/secret"
        calls = ["AdminGetUser", "AdminInitiateAuth", "DescribeUserPoolClient", "GetUserPoolMfaConfig"]
        expected = [
            (self.FROM_POOL, [([f"cognito-idp:{call}" for call in calls], pool)]),
            (self.FROM_ENDPOINT, [(["ssm:GetParameter"], secret)]),
        ]
        for source, granted in expected:
            statements = [one for _, one in Template(TEXT, **source).roles()["UserMigrationRole"]]
            self.assertEqual([(actions(one), one["Resource"]) for one in statements[1:]], granted)
            self.assertEqual(actions(statements[0]), ["logs:CreateLogStream", "logs:PutLogEvents"])
        self.assertNotIn("UserMigrationRole", Template(TEXT).roles())

    def test_only_cognito_invokes_the_trigger_for_this_pool(self):
        permission = Template(TEXT).body["Resources"]["UserMigrationPermission"]["Properties"]
        self.assertEqual(permission["Principal"], "cognito-idp.amazonaws.com")
        self.assertEqual(permission["SourceAccount"], {"Ref": "AWS::AccountId"})
        self.assertEqual(permission["SourceArn"], {"Fn::GetAtt": ["UserPool", "UserPoolArn"]})

    def test_password_flow_is_added_to_the_web_client_only(self):
        spec = Template(TEXT).body["Resources"]["UserPool"]["Properties"]["Spec"]
        # The flows of the bootstrap, which a list replaces.
        default = {"ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
        for value, flows in [("false", None), ("true", default | {"ALLOW_USER_PASSWORD_AUTH"})]:
            clients = Template(TEXT, WebClientPasswordAuth=value).resolve(spec["clients"])
            self.assertNotIn("auth_flows", clients["backend"])
            listed = clients["web"].get("auth_flows")
            self.assertEqual(listed and set(listed), flows)

    def test_parameters_accept_only_usable_values(self):
        parameters = Template(TEXT).body["Parameters"]
        urls = ["https://", "https://?x", "https://u:p@a.example", "https://a.example/#x", "https://a.example/\u00e9"]
        names = "custom:poolkeeper_create,preferred_username,custom:poolkeeper_created_at"
        attributes = [",", "email,", ",email", "email,,name", "email name", "email, name", "Email", "team", "sub", "custom:"]
        source = (ROOT / "crates/domain/src/spec/client_attributes.rs").read_text()
        every_name = ",".join(re.findall(r'^    "(\w+)",$', source.split("];")[0], re.MULTILINE))
        self.assertEqual(every_name.count(","), 16)
        endpoints = ["", "https://a.example", "https://a.example:8443/x?y=1", "https://[::1]/", "https://a.example?x=@"]
        never_moved = ["email_verified", "cognito:user_status", "dev:custom:team", "custom:a\u00a0b"]
        proof = ["custom:poolkeeper_created", "custom:Poolkeeper_Created"]
        never_moved += [*proof, f"{proof[0]},email", f"email,{proof[0]}"]
        for name, accepted, rejected in [
            ("MigrationUserPoolId", ["", "eu-west-1_aB1"], ["aB1", "eu-west-1_", "eu-west-1_a b"]),
            ("MigrationEndpoint", endpoints, ["http://a.example", *urls]),
            ("MigrationSecretParameter", ["", "/old/secret"], ["old", "/", "/old/", "/old/*"]),
            ("MigrationAttributes", ["", "email", "email,custom:team", names, every_name], attributes + never_moved),
        ]:
            pattern = parameters[name]["AllowedPattern"]
            self.assertEqual([value for value in accepted + rejected if re.search(pattern, value)], accepted, name)


class Rules(unittest.TestCase):
    def rejections(self, **parameters):
        """The descriptions of the assertions that these parameters break."""
        template = Template(TEXT, **parameters)
        return [
            assertion["AssertDescription"]
            for rule in template.body["Rules"].values()
            if template.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not template.holds(assertion["Assert"])
        ]

    def test_rejects_verification_that_can_never_happen(self):
        impossible = [("AutoVerifyEmail", "invited"), ("AutoVerifyEmail", "everyone"), ("AutoVerifyPhone", "everyone")]
        for name, value in impossible:
            for confirm in ["everyone", "trusted-domains", "invited"]:
                verify = {"TrustedEmailDomains": "example.com", name: value}
                self.assertEqual(self.rejections(AutoConfirm=confirm, **verify), [], f"{confirm}, {name}")
            (rejection,) = self.rejections(AutoConfirm="nobody", **{name: value})
            self.assertIn("AutoConfirm=nobody", rejection)
            self.assertIn(f"{name}=nobody", rejection)
        self.assertEqual(self.rejections(AutoConfirm="nobody"), [])

    def test_rejects_required_second_factors_that_users_cannot_enroll(self):
        for mfa, admin_mfa in [("off", "optional"), ("optional", "required"), ("required", "required")]:
            self.assertEqual(self.rejections(AutoConfirm="everyone", Mfa=mfa, AdminMfa=admin_mfa), [], f"{mfa}, {admin_mfa}")
        (rejection,) = self.rejections(AutoConfirm="everyone", Mfa="off", AdminMfa="required")
        self.assertIn("AdminMfa=required requires Mfa=optional", rejection)

    def test_rejects_incomplete_and_double_sources_of_migration(self):
        pool, endpoint = UserMigration.FROM_POOL, UserMigration.FROM_ENDPOINT
        attributes = {"MigrationAttributes": "email"}
        for accepted in [{}, pool, endpoint, {**pool, **attributes}, {"WebClientPasswordAuth": "true"}]:
            self.assertEqual(self.rejections(**accepted), [], accepted)
        for name, value in {**pool, **endpoint, **attributes}.items():
            (rejection,) = self.rejections(**{name: value})
            self.assertTrue(rejection.startswith(f"{name} requires"), rejection)
        (rejection,) = self.rejections(**pool, **endpoint)
        self.assertIn("MigrationEndpoint must be empty with MigrationUserPoolId", rejection)

    def test_rejects_table_that_nothing_uses(self):
        for gate, table in [("true", ""), ("true", "earlier"), ("false", "")]:
            self.assertEqual(self.rejections(SessionGate=gate, RevocationTable=table), [], f"{gate}, {table}")
        (rejection,) = self.rejections(SessionGate="false", RevocationTable="earlier")
        self.assertIn("RevocationTable must be empty with SessionGate=false", rejection)

    def test_rejects_scopes_of_id_tokens(self):
        for uses, scopes in [("access,id", "shop/read"), ("access", "shop/read"), ("id", "")]:
            self.assertEqual(self.rejections(GateTokenUses=uses, GateScopes=scopes), [], f"{uses}, {scopes}")
        (rejection,) = self.rejections(GateTokenUses="id", GateScopes="shop/read")
        self.assertIn("GateScopes must be empty with GateTokenUses=id", rejection)

    def test_rejects_first_admin_whose_address_anyone_verifies(self):
        for verify, email in [("everyone", ""), ("invited", "admin@example.com"), ("nobody", "admin@example.com")]:
            rejections = self.rejections(AutoVerifyEmail=verify, FirstAdminEmail=email)
            self.assertEqual(rejections, [], f"{verify}, {email}")
        (rejection,) = self.rejections(AutoVerifyEmail="everyone", FirstAdminEmail="admin@example.com")
        self.assertIn("FirstAdminEmail must be empty with AutoVerifyEmail=everyone", rejection)

    def test_rejects_alias_that_sign_up_verifies_without_proof(self):
        allowed = Template(TEXT).body["Parameters"]["Aliases"]["AllowedValues"]
        names = ["email", "phone_number", "preferred_username"]
        orders = [",".join(order) for count in range(4) for order in itertools.permutations(names, count)]
        self.assertEqual(sorted(allowed), sorted(orders))
        for aliases in allowed:
            for alias, parameter in [("email", "AutoVerifyEmail"), ("phone_number", "AutoVerifyPhone")]:
                rejections = self.rejections(SignIn="username", Aliases=aliases, **{parameter: "everyone"})
                is_rejected = any(f"{parameter} must not be everyone" in one for one in rejections)
                self.assertEqual(is_rejected, alias in aliases.split(","), f"{aliases}, {parameter}")
                self.assertEqual(self.rejections(Aliases=aliases, **{parameter: "nobody"}), [])


class SignUp(unittest.TestCase):
    def test_auto_confirm_has_no_default(self):
        parameters = Template(TEXT).body["Parameters"]
        self.assertEqual([name for name, one in parameters.items() if "Default" not in one], ["AutoConfirm"])

    def test_pool_and_verification_get_the_same_complete_policy(self):
        resources = Template(TEXT).body["Resources"]
        policies = [resources[name]["Properties"]["SignUpPolicy"] for name in ["UserPool", "Verification"]]
        self.assertEqual(policies[0], policies[1])
        # An adoption compares the policy as well.
        mfa = [resources[name]["Properties"]["Spec"]["mfa"] for name in ["UserPool", "Verification"]]
        self.assertEqual(mfa, [{"Ref": "Mfa"}] * 2)
        settings = resources["PreSignUpFunction"]["Properties"]["Environment"]["Variables"].values()
        of_trigger = {one["Ref"] for one in settings if "Ref" in one}
        self.assertEqual({one["Ref"] for one in policies[0].values()}, of_trigger)


class Boundary(unittest.TestCase):
    def test_boundary_outlives_the_stack_and_denies_what_grants_permissions(self):
        boundary = Template(TEXT).body["Resources"]["AuthenticatedBoundary"]
        self.assertEqual((boundary["DeletionPolicy"], boundary["UpdateReplacePolicy"]), ("Retain", "Retain"))
        # A fixed name would collide with that of the next stack and need CAPABILITY_NAMED_IAM.
        self.assertNotIn("ManagedPolicyName", boundary["Properties"])
        statements = boundary["Properties"]["PolicyDocument"]["Statement"]
        allowed = {
            action: Right(action, target)
            for action, target in [
                ("iam:CreateUser", "arn:aws:iam::000000000000:user/x"),
                ("sts:AssumeRole", "arn:aws:iam::000000000000:role/x"),
                ("organizations:LeaveOrganization", "*"),
                ("account:CloseAccount", "*"),
                ("s3:GetObject", "arn:aws:s3:::shop/x"),
            ]
        }
        iam = oracle.installed()
        tickets = {action: iam.request(statements, right) for action, right in allowed.items()}
        iam.run()
        self.assertEqual([action for action, ticket in tickets.items() if iam.allowed(ticket)], ["s3:GetObject"])

    def test_bootstrap_cannot_change_or_remove_the_boundary(self):
        statements = Template(TEXT).roles()["PoolBootstrapRole"]
        granted = {action for _, statement in statements for action in actions(statement)}
        self.assertNotIn("iam:DeleteRolePermissionsBoundary", granted)
        iam = oracle.installed()
        rights = [Right(f"iam:{one}", OWN_BOUNDARY) for one in ["CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion"]]
        tickets = [iam.request([statement for _, statement in statements], right) for right in rights]
        iam.run()
        self.assertEqual([iam.allowed(ticket) for ticket in tickets], [False] * 3)

    def test_bootstrap_has_no_right_on_role_and_policy_of_another_region(self):
        actions_of = {
            "role": ["DeleteRole", "GetRole", "UpdateAssumeRolePolicy", "PassRole"],
            "policy": ["CreatePolicyVersion", "DeletePolicy", "GetPolicy"],
        }
        statements = [statement for _, statement in Template(TEXT).roles()["PoolBootstrapRole"]]
        names = {f"shop.{REGION}": True, f"shop.second.{REGION}": True, "shop.ap-southeast-2": False}
        iam = oracle.installed()
        tickets = [
            (name, right, iam.request(statements, right))
            for name in names
            for kind, found in actions_of.items()
            for right in (Right(f"iam:{one}", f"arn:aws:iam::{ACCOUNT}:{kind}/poolkeeper.{name}") for one in found)
        ]
        iam.run()
        for name, right, ticket in tickets:
            self.assertEqual(iam.allowed(ticket), names[name], f"{right.action} on {name}")

    def test_bootstrap_creates_and_attaches_only_bounded_roles(self):
        arn = f"arn:aws:iam::{ACCOUNT}"
        role, own_policy = f"{arn}:role/poolkeeper.shop.{REGION}", f"{arn}:policy/poolkeeper.shop.{REGION}"
        foreign = [
            "arn:aws:iam::aws:policy/AdministratorAccess",
            f"{arn}:policy/x",
            f"{arn}:policy/poolkeeper.shop-prod.{REGION}",
            f"{arn}:policy/poolkeeper.shop.ap-southeast-2",
        ]
        boundaries = [{}, *({"iam:PermissionsBoundary": one} for one in [OWN_BOUNDARY, own_policy, *foreign])]
        rights = [
            *(Right("iam:CreateRole", role, {"aws:RequestTag/poolkeeper:pool": "shop", **one}) for one in boundaries),
            *(Right("iam:PutRolePermissionsBoundary", role, one) for one in boundaries),
            *(
                Right("iam:AttachRolePolicy", role, {"iam:PolicyARN": policy, **one})
                for policy in [own_policy, OWN_BOUNDARY, *foreign]
                for one in boundaries
            ),
        ]
        statements = [statement for _, statement in Template(TEXT).roles()["PoolBootstrapRole"]]
        iam = oracle.installed()
        tickets = [(right, iam.request(statements, right)) for right in rights]
        iam.run()
        for right, ticket in tickets:
            is_bounded = right.context.get("iam:PermissionsBoundary") == OWN_BOUNDARY
            is_own = right.context.get("iam:PolicyARN", own_policy) == own_policy
            self.assertEqual(iam.allowed(ticket), is_bounded and is_own, f"{right.action}: {right.context}")


class Jobs(unittest.TestCase):
    def test_nothing_exists_by_default(self):
        for is_on in (False, True):
            template = Template(TEXT, AlarmEmail="ops@example.com", **({"Jobs": "true"} if is_on else {}))
            names = {
                name
                for section in ("Resources", "Outputs")
                for name, one in template.body[section].items()
                if name.startswith(("Job", "Backup")) and template.condition(one["Condition"])
            }
            self.assertEqual(bool(names), is_on, names)
            self.assertFalse([name for name in names if name.startswith("Backup")])

    def test_schedule_starts_backups(self):
        template = Template(TEXT, Jobs="true", BackupSchedule="cron(0 3 * * ? *)")
        schedule = template.body["Resources"]["BackupScheduler"]
        self.assertTrue(template.condition(schedule["Condition"]))
        self.assertFalse(Template(TEXT, BackupSchedule="rate(1 day)").condition(schedule["Condition"]))
        properties = schedule["Properties"]
        self.assertEqual(properties["ScheduleExpression"], {"Ref": "BackupSchedule"})
        self.assertEqual(properties["Target"]["Arn"], {"Ref": "JobStateMachine"})
        # An end-to-end test starts the state machine with the same input.
        expected = {"type": "backup", "requested_by": "schedule"}
        self.assertEqual(json.loads(properties["Target"]["Input"]), expected)
        role = template.body["Resources"]["BackupSchedulerRole"]["Properties"]["AssumeRolePolicyDocument"]
        (statement,) = role["Statement"]
        group = template.body["Resources"][properties["GroupName"]["Ref"]]
        self.assertEqual(group["Type"], "AWS::Scheduler::ScheduleGroup")
        source = statement["Condition"]["StringEquals"]["aws:SourceArn"]
        self.assertEqual(source, {"Fn::GetAtt": [properties["GroupName"]["Ref"], "Arn"]})

    def test_schedule_accepts_only_expressions(self):
        pattern = Template(TEXT).body["Parameters"]["BackupSchedule"]["AllowedPattern"]
        for text in ["", "rate(1 day)", "cron(0 3 * * ? *)", "cron(15 10 ? * 6L 2026-2030)", "cron(0 8 ? * MON#1 *)"]:
            self.assertTrue(re.search(pattern, text), text)
        for text in ["daily", "rate()", "at(2026-12-01T03:00:00)", 'rate(1 day)"', " rate(1 day)", "rate(1 day) "]:
            self.assertFalse(re.search(pattern, text), text)

    def test_exporter_changes_no_user_and_reads_no_upload(self):
        statements = [one for _, one in Template(TEXT, Jobs="true").roles()["JobsExporterRole"]]
        changes = ("Create", "Delete", "Disable", "Enable", "Put", "Set", "Update", "AdminAdd", "AdminSet")
        granted = {action for one in statements for action in actions(one)}
        changing = {one for one in granted if one.split(":")[1].startswith(changes) and not one.startswith("logs:")}
        self.assertEqual(changing, {"s3:PutObject", "s3:DeleteObject"})
        # Backups can be created, and not deleted or read.
        for action in ("s3:GetObject", "s3:DeleteObject"):
            (resources,) = [one["Resource"] for one in statements if action in actions(one)]
            self.assertEqual([one.partition("/")[2] for one in resources], ["jobs/backup-*", "jobs/export-*"])

    def test_worker_neither_reads_nor_writes_files_of_exports(self):
        statements = [one for _, one in Template(TEXT, Jobs="true").roles()["JobsWorkerRole"]]
        resources = [one["Resource"] for one in statements if {"s3:GetObject", "s3:PutObject"} & set(actions(one))]
        prefixes = {one.partition("/")[2] for one in sum(resources, [])}
        self.assertEqual(prefixes, {"backups/*", "uploads/*", "jobs/import-*", "jobs/restore-*"})

    def test_backups_cannot_be_replaced(self):
        (statement,) = [
            one
            for one in Template(TEXT).body["Resources"]["JobBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
            if "s3:PutObject" in actions(one)
        ]
        self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"))
        self.assertEqual(statement["Resource"]["Fn::Sub"].partition("}/")[2], "backups/*")
        self.assertEqual(statement["Condition"], {"Null": {"s3:if-none-match": "true"}})

    def test_worker_neither_deletes_users_nor_reads_secrets(self):
        statements = [one for _, one in Template(TEXT, Jobs="true").roles()["JobsWorkerRole"]]
        granted = {action for one in statements for action in actions(one)}
        self.assertFalse([action for action in granted if "Delete" in action and not action.endswith(("Attributes", "Object"))])
        self.assertFalse([action for action in granted if action.startswith(("ssm:", "iam:")) or "Client" in action])

    def test_jobs_api_neither_reads_uploads_nor_changes_users(self):
        statements = [one for _, one in Template(TEXT, Jobs="true").roles()["JobsApiRole"]]
        pool = {action for one in statements for action in actions(one) if action.startswith("cognito-idp:")}
        self.assertEqual(pool, {"cognito-idp:AdminListGroupsForUser", "cognito-idp:DescribeUserPoolClient"})
        (read,) = [one["Resource"] for one in statements if "s3:GetObject" in actions(one)]
        self.assertEqual([one.partition("/")[2] for one in read], ["backups/*", "jobs/*"])

    def test_bucket_is_private_and_empties_itself(self):
        bucket = Template(TEXT).body["Resources"]["JobBucket"]
        properties = bucket["Properties"]
        self.assertTrue(all(properties["PublicAccessBlockConfiguration"].values()))
        self.assertIn("BucketEncryption", properties)
        rules = properties["LifecycleConfiguration"]["Rules"]
        self.assertEqual({rule["Status"] for rule in rules}, {"Enabled"})
        days = {rule["Prefix"]: rule["ExpirationInDays"]["Ref"] for rule in rules if "Prefix" in rule}
        expected = {"uploads/": "JobRetentionDays", "jobs/": "JobRetentionDays", "backups/": "BackupRetentionDays"}
        self.assertEqual(days, expected)
        # No function writes elsewhere, so nothing is kept forever.
        keys = Path(__file__).parents[2] / "domain/src/jobs/files.rs"
        self.assertEqual({f"{name}/" for name in re.findall(r'format!\("([a-z]+)/', keys.read_text())}, set(days))
        self.assertEqual(bucket["DeletionPolicy"], "RetainExceptOnCreate")

    def test_web_pages_of_allowed_origins_can_use_presigned_urls(self):
        cors = Template(TEXT).body["Resources"]["JobBucket"]["Properties"]["CorsConfiguration"]
        (rule,) = Template(TEXT, AllowedOrigins=ORIGINS).resolve(cors)["CorsRules"]
        self.assertEqual(rule["AllowedOrigins"], ["https://admin.example.com", "https://shop.example.com"])
        self.assertEqual((rule["AllowedMethods"], "if-none-match" in rule["AllowedHeaders"]), (["GET", "PUT"], True))
        self.assertIsNone(Template(TEXT).resolve(cors))

    def test_state_machine_does_not_repeat_permanent_errors(self):
        worker = (Path(__file__).parents[2] / "domain/src/jobs/error.rs").read_text()
        names = set(re.findall(r' => "(\w+)"', worker)) | {"BackupFailed", "UnreadableEvent"}
        definition = Template(TEXT).body["Resources"]["JobStateMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
        rows = [set(row.split('", "')) for row in re.findall(r'\["([^]]*)"\], "MaxAttempts": 0', definition)]
        # One row for each step.
        self.assertEqual(len(rows), 5)
        self.assertTrue(all({"Forbidden", "InvalidFile", "Rejected", "Stopped", "UnreadableEvent"} <= row for row in rows), rows)
        # The last step imports failed chunks as well.
        chunk, finish = rows[-2:]
        self.assertLessEqual(chunk, finish)
        never = set().union(*rows)
        self.assertEqual(names - never, {"TimeUp", "Unavailable"})
        self.assertEqual(never - names, set())


class Order(unittest.TestCase):
    def test_verification_is_the_last_resource(self):
        # Verification makes the stack the owner of the pool, so everything that can fail comes before it.
        resources = Template(TEXT).body["Resources"]
        before, open_names = set(), {"Verification"}
        while open_names:
            name = open_names.pop()
            found = self.needs(resources[name]) & set(resources) - before
            before |= found
            open_names |= found
        self.assertEqual(set(resources) - before, {"Verification"})

    def needs(self, value):
        """The names that a part of the template refers to."""
        if isinstance(value, list):
            return set().union(*map(self.needs, value))
        if isinstance(value, str):
            return set(re.findall(r"\$\{([A-Za-z]+)", value))
        if not isinstance(value, dict):
            return set()
        depends = value.get("DependsOn", [])
        named = {depends} if isinstance(depends, str) else set(depends)
        if isinstance(ref := value.get("Ref"), str):
            named.add(ref)
        if get := value.get("Fn::GetAtt"):
            named.add((get if isinstance(get, str) else get[0]).split(".")[0])
        return named.union(*map(self.needs, value.values()))


if __name__ == "__main__":
    unittest.main()
