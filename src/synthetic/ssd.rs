//! A council's records laid out as an export of the Standard Safeguarding Dataset: those of its tables for which the
//! council has something, with the columns that it can fill. None of them says when a row was recorded.

use super::Council;
use super::table::{Cells, Column, CouncilFile, EMPTY};
use crate::error::SyntheticError;
use crate::outputs::Outputs;

/// A table: its name, the council's file and kind of record that it is made from, and for each column the council's own.
struct Laid {
    name: &'static str,
    of: &'static str,
    kind: Option<&'static str>,
    columns: &'static [(&'static str, &'static str)],
}

const TABLES: [Laid; 7] = [
    Laid {
        name: "ssd_family",
        of: "households",
        kind: None,
        columns: &[("fami_family_id", "household_id"), ("fami_person_id", "person_id")],
    },
    Laid {
        name: "ssd_contacts",
        of: "contacts",
        kind: None,
        columns: &[
            ("cont_contact_id", "record_id"),
            ("cont_person_id", "person_id"),
            ("cont_contact_date", "occurred"),
            ("cont_contact_source_desc", "referral_source"),
        ],
    },
    Laid {
        name: "ssd_early_help_episodes",
        of: "early_help",
        kind: None,
        columns: &[
            ("earl_episode_id", "record_id"),
            ("earl_person_id", "person_id"),
            ("earl_episode_start_date", "start"),
            ("earl_episode_end_date", "end"),
        ],
    },
    Laid {
        name: "ssd_cin_episodes",
        of: "referrals",
        kind: None,
        columns: &[
            ("cine_referral_id", "record_id"),
            ("cine_person_id", "person_id"),
            ("cine_referral_date", "occurred"),
            ("cine_referral_source_desc", "referral_source"),
        ],
    },
    Laid {
        name: "ssd_cin_plans",
        of: "plans",
        kind: Some("cin_episode"),
        columns: &[
            ("cinp_cin_plan_id", "record_id"),
            ("cinp_person_id", "person_id"),
            ("cinp_cin_plan_start_date", "start"),
            ("cinp_cin_plan_end_date", "end"),
        ],
    },
    Laid {
        name: "ssd_cp_plans",
        of: "plans",
        kind: Some("cp_plan"),
        columns: &[
            ("cppl_cp_plan_id", "record_id"),
            ("cppl_person_id", "person_id"),
            ("cppl_cp_plan_start_date", "start"),
            ("cppl_cp_plan_end_date", "end"),
        ],
    },
    Laid {
        name: "ssd_cla_episodes",
        of: "plans",
        kind: Some("cla_episode"),
        columns: &[
            ("clae_cla_episode_id", "record_id"),
            ("clae_person_id", "person_id"),
            ("clae_cla_episode_start_date", "start"),
            ("clae_cla_episode_ceased_date", "end"),
        ],
    },
];

impl Council {
    /// The council's records in tables of the Standard Safeguarding Dataset: people, families, contacts, early help,
    /// referrals, plans and care. What that layout has no place for (schools, police, housing) is not among them.
    #[must_use]
    pub fn ssd(&self) -> Vec<CouncilFile> {
        let mut files: Vec<CouncilFile> = self.ssd_person().into_iter().collect();
        files.extend(TABLES.iter().filter_map(|laid| self.laid_out(laid)));
        files
    }

    /// Writes the tables of [`Council::ssd`] as comma-separated text into a folder, which is made if need be: all of
    /// them or none, and over nothing but what was written there before ([`Outputs`]).
    ///
    /// # Errors
    /// [`SyntheticError::Outputs`] where a file cannot be written.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::synthetic::CouncilParams;
    ///
    /// let council = CouncilParams::new(1_000, 1).generate()?;
    /// let folder = std::env::temp_dir().join("earlyhelp-ssd");
    /// council.write_ssd(&folder)?;
    /// let plans = std::fs::read_to_string(folder.join("ssd_cp_plans.csv"))?;
    /// assert!(plans.starts_with("cppl_cp_plan_id,cppl_person_id,"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_ssd(&self, folder: impl Into<Outputs>) -> Result<(), SyntheticError> {
        let outputs: Outputs = folder.into();
        let mut writing = outputs.start()?;
        for table in self.ssd() {
            let name = format!("{}.csv", table.name());
            writing.file(&name, |to| table.write_csv(to))?;
        }
        Ok(writing.finish()?)
    }

    /// Everybody, with the characteristics that the layout keeps beside the name.
    fn ssd_person(&self) -> Option<CouncilFile> {
        let (people, protected) = (self.extract("people")?, self.extract("protected")?);
        let named = |file: &CouncilFile, from: &str, to: &'static str| {
            Some(Column::new(to, file.column(from)?.cells().clone()))
        };
        let mut sex = named(protected, "sex", "pers_sex")?;
        if let Cells::Text { codes, .. } = sex.cells() {
            // Male and female, in the order in which the council has them.
            sex = Column::new("pers_sex", Cells::Text { values: &["1", "2"], codes: codes.clone() });
        }
        let columns = vec![
            named(people, "person_id", "pers_person_id")?,
            sex,
            named(protected, "ethnicity", "pers_ethnicity")?,
            named(people, "date_of_birth", "pers_dob")?,
        ];
        Some(CouncilFile { name: "ssd_person", columns })
    }

    fn laid_out(&self, laid: &Laid) -> Option<CouncilFile> {
        let file = self.extract(laid.of)?;
        let is_of_kind = |row: &usize| {
            laid.kind.is_none_or(|kind| file.column("kind").is_some_and(|column| column.cell(*row) == kind))
        };
        let rows: Vec<usize> = (0..file.rows()).filter(is_of_kind).collect();
        let columns = laid.columns.iter().map(|(name, own)| {
            let cells = match file.column(own) {
                Some(column) => column.gather(&rows).cells().clone(),
                None => Cells::Text { values: &[], codes: vec![EMPTY; rows.len()] },
            };
            Column::new(name, cells)
        });
        Some(CouncilFile { name: laid.name, columns: columns.collect() })
    }
}

#[cfg(test)]
mod tests {
    use crate::synthetic::CouncilParams;

    #[test]
    fn no_record_is_lost_on_the_way_into_the_layout() {
        let council = CouncilParams::new(2_000, 1).generate().unwrap();
        let files = council.ssd();
        let rows = |name: &str| files.iter().find(|file| file.name() == name).unwrap().rows();
        let own = |name: &str| council.extract(name).unwrap().rows();
        assert_eq!(rows("ssd_person"), own("people"));
        assert_eq!(rows("ssd_contacts"), own("contacts"));
        assert_eq!(rows("ssd_cin_episodes"), own("referrals"));
        assert_eq!(rows("ssd_cin_plans") + rows("ssd_cp_plans") + rows("ssd_cla_episodes"), own("plans"));
        assert!(rows("ssd_cp_plans") > 0 && rows("ssd_cla_episodes") > 0);
    }
}
