//! Who may do what.

use serde::{Deserialize, Serialize};

use super::{AgencyId, KeyId, SellerId};

/// What a key lets its holder do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "role")]
pub enum Role {
    /// Checks and registers for one agency, for the sellers that it has a mandate for.
    Dialler {
        /// The agency that dials.
        agency: AgencyId,
    },
    /// Registers objections made to one seller.
    Seller {
        /// The company.
        seller: SellerId,
    },
    /// Reads the audit.
    Regulator,
    /// Runs the service: sellers, agencies and keys, and the audit.
    Operator,
}

impl Role {
    /// `dialler`, `seller`, `regulator` or `operator`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dialler { .. } => "dialler",
            Self::Seller { .. } => "seller",
            Self::Regulator => "regulator",
            Self::Operator => "operator",
        }
    }

    /// The agency that dials.
    #[must_use]
    pub fn into_agency(self) -> Option<AgencyId> {
        match self {
            Self::Dialler { agency } => Some(agency),
            _ => None,
        }
    }

    /// Whether it may read the audit.
    #[must_use]
    pub fn reads_audit(&self) -> bool {
        matches!(self, Self::Regulator | Self::Operator)
    }
}

/// The holder of a valid key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The key's id.
    pub key: KeyId,
    /// What it lets its holder do.
    pub role: Role,
}
