//! [`MemberLists`]: the lists of members that were requested.

use std::collections::VecDeque;

use chat_proto::IncomingMembers;
use chat_proto::extended::{ClientRequest, RequestId};
use chat_proto::{Lang, Localize as _};

use crate::app::render;
use crate::app::session_status::SessionStatus;
use crate::terminal::line::Line;

/// The most names that are shown.
const MAX_NAMES: usize = 30;

/// Requests remembered, for a server that answers none.
const MAX_LISTS: usize = 100;

/// The requested lists that are not complete, in order.
#[derive(Debug, Default)]
pub(crate) struct MemberLists {
    lang: Lang,
    requests: u64,
    lists: VecDeque<List>,
}

#[derive(Debug)]
struct List {
    id: RequestId,
    /// The first names.
    names: Vec<String>,
}

impl MemberLists {
    pub(crate) fn new(lang: Lang) -> Self {
        Self { lang, ..Self::default() }
    }

    /// Returns the request for a list.
    pub(crate) fn request(&mut self) -> Option<ClientRequest> {
        self.requests += 1;
        // A number is short enough for an id.
        let id = RequestId::new(&format!("members-{}", self.requests)).ok()?;
        if self.lists.len() == MAX_LISTS {
            self.lists.pop_front();
        }
        self.lists.push_back(List { id: id.clone(), names: Vec::new() });
        Some(ClientRequest::Members { id })
    }

    /// Handles a frame of a list. Returns what to show once the list is complete.
    pub(crate) fn take(&mut self, message: &IncomingMembers) -> Option<Line> {
        let re = message.re.as_deref()?;
        let at = self.lists.iter().position(|list| list.id.as_str() == re)?;
        let names = &mut self.lists[at].names;
        let space = MAX_NAMES.saturating_sub(names.len());
        names.extend(message.members.iter().take(space).cloned());
        if message.more {
            return None;
        }
        let List { names, .. } = self.lists.remove(at)?;
        Some(self.line(&names, message.member_count.max(names.len())))
    }

    /// Forgets a request that was refused.
    pub(crate) fn refused(&mut self, re: &str) {
        self.lists.retain(|list| list.id.as_str() != re);
    }

    /// Forgets all requests.
    pub(crate) fn forget(&mut self) {
        self.lists.clear();
    }

    fn line(&self, names: &[String], count: usize) -> Line {
        let say = |status: SessionStatus<'_>| status.localized(self.lang).to_string();
        match count {
            0 | 1 => render::client(&say(SessionStatus::Alone)),
            _ => render::members(&say(SessionStatus::Here { count }), names, count, self.lang),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(re: &str, names: &[&str], member_count: usize, more: bool) -> IncomingMembers {
        let mut page = IncomingMembers::default();
        (page.re, page.member_count, page.more) = (Some(re.to_owned()), member_count, more);
        page.members = names.iter().map(|name| (*name).to_owned()).collect();
        page
    }

    fn shown(lists: &mut MemberLists, page: &IncomingMembers) -> Option<String> {
        lists.take(page).map(|line| line.as_str().to_owned())
    }

    #[test]
    fn a_list_is_shown_once_it_is_complete_and_a_long_one_is_cut() {
        let mut lists = MemberLists::new(Lang::En);
        lists.request().expect("a request");
        lists.request().expect("a request");
        assert_eq!(
            shown(&mut lists, &page("members-1", &["Ann", "Guido van Rossum"], 3, true)),
            None
        );
        assert_eq!(
            shown(&mut lists, &page("members-1", &["a: b"], 3, false)).as_deref(),
            Some("- here now (3): Ann, Guido van Rossum, \"a: b\"")
        );
        let names: Vec<String> = (0..200).map(|n| format!("n{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(shown(&mut lists, &page("members-2", &names[..100], 200, true)), None);
        let line =
            shown(&mut lists, &page("members-2", &names[100..], 200, false)).expect("the end");
        assert!(
            line.starts_with("- here now (200): n0, ") && line.ends_with(", n29 and 170 more"),
            "{line}"
        );
        assert_eq!(shown(&mut lists, &page("members-2", &["x"], 1, false)), None, "not requested");
    }

    #[test]
    fn whoever_is_alone_is_told_so_in_the_language_of_the_client() {
        let mut lists = MemberLists::new(Lang::Ko);
        lists.request().expect("a request");
        lists.request().expect("a request");
        lists.refused("members-1");
        assert_eq!(shown(&mut lists, &page("members-1", &["김철수"], 1, false)), None);
        let alone = shown(&mut lists, &page("members-2", &["김철수"], 1, false));
        assert_eq!(alone.as_deref(), Some("- 지금은 혼자예요."));
        lists.request().expect("a request");
        let two = shown(&mut lists, &page("members-3", &["김철수", "bob"], 40, false));
        assert_eq!(two.as_deref(), Some("- 지금 여기 있는 사람 (40명): 김철수, bob 외 38명"));
    }

    #[test]
    fn requests_that_are_never_answered_are_not_all_remembered() {
        let mut lists = MemberLists::new(Lang::En);
        (0..3 * MAX_LISTS).for_each(|_| drop(lists.request()));
        assert_eq!(lists.lists.len(), MAX_LISTS);
        lists.forget();
        assert!(lists.lists.is_empty());
    }
}
