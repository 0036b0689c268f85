//! Awards: which there are, and how a nomination is written in a fact.

use crate::words::closed_words;

closed_words! {
    /// An award for films that nominations and wins are known of.
    Award ("award") {
        /// The Academy's best picture.
        Picture = "oscar picture",
        /// Directing.
        Directing = "oscar directing",
        /// A leading actor.
        Actor = "oscar actor",
        /// A leading actress.
        Actress = "oscar actress",
        /// A supporting actor.
        SupportingActor = "oscar supporting actor",
        /// A supporting actress.
        SupportingActress = "oscar supporting actress",
        /// An original screenplay.
        OriginalScreenplay = "oscar original screenplay",
        /// An adapted screenplay.
        AdaptedScreenplay = "oscar adapted screenplay",
        /// An animated feature.
        AnimatedFeature = "oscar animated feature",
        /// A feature from abroad, in another language than English.
        InternationalFeature = "oscar international feature",
        /// A documentary feature.
        DocumentaryFeature = "oscar documentary feature",
        /// Cinematography, black-and-white and colour alike.
        Cinematography = "oscar cinematography",
        /// Editing.
        Editing = "oscar editing",
        /// An original score.
        Score = "oscar score",
        /// An original song.
        Song = "oscar song",
        /// Art direction and production design.
        ProductionDesign = "oscar production design",
        /// Costumes.
        CostumeDesign = "oscar costume design",
        /// Makeup and hairstyling.
        Makeup = "oscar makeup",
        /// Visual effects.
        VisualEffects = "oscar visual effects",
        /// Sound: recording and mixing.
        Sound = "oscar sound",
        /// Sound editing.
        SoundEditing = "oscar sound editing",
        /// The Golden Globe for a drama.
        GlobeDrama = "globe drama",
        /// For a musical or comedy.
        GlobeComedy = "globe comedy",
        /// For directing.
        GlobeDirecting = "globe directing",
        /// For a screenplay.
        GlobeScreenplay = "globe screenplay",
        /// For a score.
        GlobeScore = "globe score",
        /// For a song.
        GlobeSong = "globe song",
        /// For an animated feature.
        GlobeAnimatedFeature = "globe animated feature",
        /// For a leading actor in a drama.
        GlobeDramaActor = "globe drama actor",
        /// For a leading actress in a drama.
        GlobeDramaActress = "globe drama actress",
        /// For a leading actor in a musical or comedy.
        GlobeComedyActor = "globe comedy actor",
        /// For a leading actress in a musical or comedy.
        GlobeComedyActress = "globe comedy actress",
        /// For a supporting actor.
        GlobeSupportingActor = "globe supporting actor",
        /// For a supporting actress.
        GlobeSupportingActress = "globe supporting actress",
    }
}

impl Award {
    /// Whether the Academy gives it.
    #[must_use]
    pub fn is_oscar(self) -> bool {
        self < Self::GlobeDrama
    }

    /// The award and the people of a nomination, as facts of the kinds `award_nomination` and `award_win` write it:
    /// `oscar directing|Ang Lee`. None where the award is not one of these.
    ///
    /// ```
    /// use marquee_domain::Award;
    /// let (award, people) = Award::nomination("oscar song|Elton John|Tim Rice").expect("an award");
    /// assert_eq!((award, people), (Award::Song, vec!["Elton John", "Tim Rice"]));
    /// assert_eq!(Award::nomination("prize of the village"), None);
    /// ```
    #[must_use]
    pub fn nomination(text: &str) -> Option<(Self, Vec<&str>)> {
        let mut parts = text.split('|');
        let award = parts.next()?.parse().ok()?;
        Some((award, parts.map(str::trim).filter(|name| !name.is_empty()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oscars_say_so() {
        for award in Award::ALL {
            assert_eq!(award.is_oscar(), award.as_str().starts_with("oscar "), "{award}");
        }
    }
}
