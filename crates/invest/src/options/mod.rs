//! Options: the worth of deciding later, when more is known.
//!
//! Two valuations of each problem that check each other: backward induction on a regular lattice of a Gaussian state, and
//! the simulation of F. A. Longstaff and E. S. Schwartz (2001), in which a regression on simulated paths says what going
//! on is worth. [`Bermudan`] holds the textbook contracts by which both are judged; [`StageGates`] is the film: develop,
//! greenlight, marketing spend, release, sequel, with the rights to abandon, wait, expand and make a sequel.
//!
//! What is *not* here: a market price of film risk. Nobody trades a gross, so the value of stage gates is an expected
//! value at a discount rate that is assumed, not the cost of a hedge.
//!
//! | File | Holds |
//! |---|---|
//! | `lattice` | expectations over a Gaussian step on equally spaced nodes |
//! | `regression` | least squares by blocks of paths, the same bytes on any number of threads |
//! | `bermudan`, `longstaff_schwartz` | the textbook contracts and their two valuations |
//! | `gates` | the stage gates of a film as data, and their checks |
//! | `induction` | backwards through the gates, whatever carries the values |
//! | `gate_lattice`, `gate_paths` | the two carriers: nodes and simulated paths |
//! | `worth` | the answer: what each right adds, where one abandons, how often |

mod bermudan;
mod gate_lattice;
mod gate_paths;
mod gates;
mod induction;
mod lattice;
mod longstaff_schwartz;
mod regression;
mod worth;

pub use bermudan::{Asset, Bermudan, Payoff};
pub use gate_paths::SimulatedGates;
pub use gates::{Expand, GateOption, Sequel, Stage, StageGates, Wait, lognormal_gross};
pub use longstaff_schwartz::{ExerciseRule, Paths, SimulatedOption};
pub use worth::{AbandonBelow, GateAnswer, GateReport, OptionWorth};
