//! The names of the measured user pool and of its administrator, as in `events/`.

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const POOL: &str = "shop";
pub(crate) const POOL_ID: &str = "eu-central-1_Ab12Cd34E";
pub(crate) const CLIENT_ID: &str = "1example23456789";
pub(crate) const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E";
pub(crate) const TABLE: &str = "shop-revocations";
pub(crate) const ADMIN: &str = "root";
pub(crate) const ADMIN_SUB: &str = "00000000-0000-4000-8000-000000000001";
