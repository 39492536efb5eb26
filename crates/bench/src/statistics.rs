//! Minimum, median and 90th percentile of samples.

/// The distribution of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) min: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
}

impl Distribution {
    /// The distribution with percentiles by nearest rank. Returns `None` without samples.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { min: rank(0)?, p50: rank(50)?, p90: rank(90)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_at_the_nearest_rank() {
        let samples: Vec<_> = (1..=10).rev().map(f64::from).collect();
        assert_eq!(Distribution::of(&samples), Some(Distribution { min: 1.0, p50: 5.0, p90: 9.0 }));
        assert_eq!(Distribution::of(&[3.0]), Some(Distribution { min: 3.0, p50: 3.0, p90: 3.0 }));
        assert_eq!(Distribution::of(&[3.0, 1.0, 2.0]), Some(Distribution { min: 1.0, p50: 2.0, p90: 3.0 }));
        assert_eq!(Distribution::of(&[]), None);
    }
}
