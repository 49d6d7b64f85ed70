//! What is lent for a while, or shared for as long as anybody needs it.

use std::ops::Deref;
use std::sync::Arc;

/// A reference, or a share: what is made from it lives as long as the reference, or for as long as it likes.
pub(crate) enum Held<'a, T> {
    Lent(&'a T),
    Shared(Arc<T>),
}

impl<T> Clone for Held<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Lent(held) => Self::Lent(held),
            Self::Shared(held) => Self::Shared(Arc::clone(held)),
        }
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Lent(held) => held,
            Self::Shared(held) => held,
        }
    }
}
