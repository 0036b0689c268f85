//! `/admin/policies`: what each role may do, and the text of the policies that say so. They are changed in the operator's
//! file and not here: a page could not be trusted with what guards it.

use axum::extract::State;
use marquee_app::platform::{Account, Action, Policies, Role};
use maud::{Markup, html};

use super::super::layout::page;
use super::super::parts::{Column, head, table};
use super::super::words::capital;
use super::{PAGE, places};
use crate::guard::Caller;
use crate::server::Server;

pub(super) async fn show(State(server): State<Server>, caller: Caller) -> Markup {
    let allowed = allowed(&server.office.policies, &caller.account);
    page(&caller, PAGE, body(&allowed, server.office.policies.own_text()))
}

/// What each role may do, asked of the policies themselves.
fn allowed(policies: &Policies, like: &Account) -> Vec<(Role, Vec<bool>)> {
    let of = |role: Role| {
        let account = Account { role, disabled: false, team: String::new(), ..like.clone() };
        let permit = policies.permit(&account, None);
        Action::ALL.iter().map(|action| permit.may(*action)).collect()
    };
    Role::ALL.into_iter().map(|role| (role, of(role))).collect()
}

fn body(allowed: &[(Role, Vec<bool>)], own: &str) -> Markup {
    let words: Vec<String> = Action::ALL.iter().map(|action| capital(action.as_str())).collect();
    let columns: Vec<Column<'_>> =
        std::iter::once(Column::text("Role")).chain(words.iter().map(|word| Column::text(word))).collect();
    html! {
        (head("Admin", Some("Who may log in, who may do what, and who did what.")))
        (places("Policies"))
        section {
            h2 { "What each role may do" }
            (table("Roles and actions", &columns, html! {
                @for (role, may) in allowed {
                    tr { th scope="row" { (capital(role.as_str())) } @for yes in may { td { @if *yes { strong { "yes" } } @else { span.soft { "no" } } } } }
                }
            }))
            p.section-note { "As the policies below answer it for an account without a team. What one may do with a thing depends on its class, its team and its owner besides: confidential things are for their team, those under an agreement for those of it who signed." }
        }
        section {
            h2 { "The operator's policies" }
            @if own.trim().is_empty() {
                p { "There are none. They are written in Cedar in a file that the server is started with, beside the built-in ones: a " code { "permit" } " of theirs widens what a role may do, a " code { "forbid" } " narrows it. What the built-in ones forbid stays forbidden." }
            } @else {
                p.section-note { "From the operator's file, as it was when the server was started. To change it, change the file and start the server again: it is checked first." }
                pre tabindex="0" aria-label="The operator's policies" { (own) }
            }
        }
        section {
            h2 { "The built-in policies" }
            p.section-note { "Nothing is allowed unless a " code { "permit" } " says so, and a " code { "forbid" } " always has the last word." }
            pre tabindex="0" aria-label="The built-in policies" { (Policies::default_text()) }
            details.more { summary { "What policies may speak of" } pre tabindex="0" { (Policies::schema_text()) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::check::{self, somebody};
    use super::*;

    #[test]
    fn roles_are_shown_as_the_policies_answer() {
        let own = "// <script>\nforbid (principal, action == Marquee::Action::\"Train\", resource);";
        let policies = Policies::with(own).expect("policies");
        let found = allowed(&policies, &somebody("Ana").account);
        let train = Action::ALL.iter().position(|action| *action == Action::Train).expect("train");
        assert!(found.iter().all(|(_, may)| !may[train]));
        assert!(found.iter().any(|(role, may)| *role == Role::Viewer && may[0]));
        for text in ["", policies.own_text()] {
            let text = page(&somebody("Ana"), PAGE, body(&found, text)).into_string();
            check::sound(&text);
            assert!(!text.contains("// <script>"), "{text}");
        }
    }
}
