//! Closed sets of words. Each names its counterpart below, so that a word added there does not compile until it is added
//! here.

/// An enum of words as the outside writes them, with conversions from its counterpart and back.
macro_rules! words {
    ($(#[$doc:meta])+ $name:ident = $from:ty { $($(#[$vdoc:meta])+ $variant:ident = $word:tt,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name {
            $($(#[$vdoc])+ #[serde(rename = $word)] $variant,)+
        }

        impl From<$from> for $name {
            fn from(word: $from) -> Self {
                match word { $(<$from>::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for $from {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How much is known when a forecast is made.
    Horizon = marquee_domain::Horizon {
        /// 540 days before release.
        Greenlight = "greenlight",
        /// 30 days before release.
        Announced = "announced",
        /// The day before release.
        PreRelease = "pre_release",
        /// The evening of the day of release.
        OpeningDay = "opening_day",
        /// The Sunday of the first weekend.
        Weekend1 = "weekend_1",
        /// The Sunday of the second weekend.
        Weekend2 = "weekend_2",
        /// The Sunday of the third weekend.
        Weekend3 = "weekend_3",
    }
}

words! {
    /// What is predicted, US dollars, nominal.
    Target = marquee_domain::Target {
        /// What is taken in the United States and Canada on the day of release.
        OpeningDay = "opening_day",
        /// What is taken in the United States and Canada on the first weekend.
        Opening = "opening",
        /// What the whole run takes in the United States and Canada.
        Domestic = "domestic",
        /// What the whole run takes everywhere else.
        International = "international",
        /// What the whole run takes everywhere.
        Worldwide = "worldwide",
    }
}

words! {
    /// On which films a model was trained and is judged.
    Population = marquee_domain::Population {
        /// Films with a budget of $100,000 or more and any recorded gross.
        Funded = "funded",
        /// Films that grossed $100,000 or more; from the day before release on, those that a daily chart follows.
        All = "all",
        /// Films of $10 million or more that grossed $100,000 or more.
        Big = "budget >= 10M",
        /// Films that a table of credits lists.
        Credited = "credited",
        /// Films that open in 600 theatres or more.
        Wide = "wide",
    }
}
