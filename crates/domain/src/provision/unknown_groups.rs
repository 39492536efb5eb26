//! Finds groups that do not exist, for settings that name groups.

use std::collections::BTreeSet;

use super::{ProvisionError, Provisioner};
use crate::retry::Situation;
use crate::spec::Spec;

impl Provisioner<'_> {
    /// Returns the groups that neither exist in the pool of the spec nor are created with it. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::Duplicates`] if several pools have the spec's name and tag, or
    /// [`ProvisionError::Call`] if a read fails.
    pub async fn unknown_groups<'a>(
        &self,
        spec: &Spec,
        names: impl IntoIterator<Item = &'a str> + Send,
    ) -> Result<BTreeSet<String>, ProvisionError> {
        let created = spec.all_groups();
        let mut unknown: BTreeSet<String> =
            names.into_iter().filter(|name| !created.contains(name)).map(str::to_owned).collect();
        if unknown.is_empty() {
            return Ok(unknown);
        }
        if let Some(pool) = self.user_pool(spec).await? {
            let existing = self.call(Situation::Settled, || self.platform.groups(&pool.id)).await?.value;
            unknown.retain(|name| !existing.contains(name));
        }
        Ok(unknown)
    }
}
