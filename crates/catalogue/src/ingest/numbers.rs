//! A column of numbers while it is being read.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use marquee_domain::ValueType;

use super::plan::ColumnPlan;

/// A column of numbers that is being read.
pub(super) enum Numbers {
    Whole(Vec<i64>, Vec<bool>),
    Measured(Vec<f64>, Vec<bool>),
}

#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Whole(i64),
    Measured(f64),
}

impl Scalar {
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Whole(n) => n as f64,
            Self::Measured(x) => x,
        }
    }
}

impl Numbers {
    pub(super) fn new(column: &ColumnPlan, rows: usize) -> Self {
        let valid = Vec::with_capacity(rows);
        match column.kind.value_type() {
            ValueType::Number => Self::Measured(Vec::with_capacity(rows), valid),
            _ => Self::Whole(Vec::with_capacity(rows), valid),
        }
    }

    pub(super) fn push(&mut self, value: Option<Scalar>) {
        match (self, value) {
            (Self::Whole(values, valid), Some(Scalar::Whole(n))) => {
                values.push(n);
                valid.push(true);
            }
            (Self::Measured(values, valid), Some(Scalar::Measured(x))) => {
                values.push(x);
                valid.push(true);
            }
            (Self::Whole(values, valid), _) => {
                values.push(0);
                valid.push(false);
            }
            (Self::Measured(values, valid), _) => {
                values.push(0.0);
                valid.push(false);
            }
        }
    }

    pub(super) fn get(&self, i: usize) -> Option<f64> {
        match self {
            Self::Whole(values, valid) => valid[i].then(|| values[i] as f64),
            Self::Measured(values, valid) => valid[i].then(|| values[i]),
        }
    }

    pub(super) fn refuse(&mut self, i: usize) {
        match self {
            Self::Whole(_, valid) | Self::Measured(_, valid) => valid[i] = false,
        }
    }

    pub(super) fn into_array(self) -> ArrayRef {
        let nulls = |valid: Vec<bool>| (!valid.iter().all(|v| *v)).then(|| NullBuffer::from(valid));
        match self {
            Self::Whole(values, valid) => Arc::new(Int64Array::new(values.into(), nulls(valid))),
            Self::Measured(values, valid) => Arc::new(Float64Array::new(values.into(), nulls(valid))),
        }
    }
}
