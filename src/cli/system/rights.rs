//! Which rights something in the home of a service gets, so that the service's user can read it. Decides; looks at nothing
//! and changes nothing.

/// The user of a service.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) uid: u32,
    /// Their own group, which what is opened is given to.
    pub(super) gid: u32,
    /// All groups that they are in.
    pub(super) groups: Vec<u32>,
}

/// Who may do what with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The twelve bits of its mode.
    pub(super) mode: u32,
    pub(super) is_folder: bool,
}

/// What something is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Whoever is on the machine may read it: it holds no secret.
    Open,
    /// For the service alone.
    Secret,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The service's user may read it, and it is as it should be.
    Fits,
    /// It gets this group and this mode.
    Give(u32, u32),
    /// The service's user cannot read it, and to open it would take something from others.
    Leave,
}

/// What a folder or a file needs.
pub(super) fn decide(found: Rights, of: Use, service: &Service) -> Decision {
    let reads = if found.is_folder { 0o5 } else { 0o4 };
    let mode = match of {
        Use::Open => found.mode,
        Use::Secret => shut(found),
    };
    // Of what is the user's own only their own bits count, whatever its group may.
    if found.uid == service.uid {
        return given(found, found.gid, mode | reads << 6);
    }
    if service.groups.contains(&found.gid) {
        return given(found, found.gid, with_group(mode, reads, found, of));
    }
    if of == Use::Open && mode & reads == reads {
        return Decision::Fits;
    }
    // Another group keeps what it has.
    if found.gid != 0 && mode & 0o070 != 0 {
        return Decision::Leave;
    }
    given(found, service.gid, with_group(mode, reads, found, of))
}

/// The mode of what is a secret, or holds some: nobody else may look, and the daemon refuses what a group may write.
fn shut(found: Rights) -> u32 {
    let taken = if found.is_folder { 0o007 } else { 0o027 };
    found.mode & !taken
}

/// What is put into a folder of secrets is to have the folder's group.
fn with_group(mode: u32, reads: u32, found: Rights, of: Use) -> u32 {
    let inherits = if of == Use::Secret && found.is_folder {
        0o2000
    } else {
        0
    };
    mode | reads << 3 | inherits
}

fn given(found: Rights, gid: u32, mode: u32) -> Decision {
    if (gid, mode) == (found.gid, found.mode) {
        Decision::Fits
    } else {
        Decision::Give(gid, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u32 = 990;
    const OPS: u32 = 991;

    fn of(uid: u32, gid: u32, mode: u32, is_folder: bool, of: Use) -> Decision {
        let service = Service {
            uid: US,
            gid: US,
            groups: vec![US, OPS],
        };
        let found = Rights {
            uid,
            gid,
            mode,
            is_folder,
        };
        decide(found, of, &service)
    }

    #[test]
    fn what_the_service_may_read_stays_as_it_is() {
        for (uid, gid, mode, is_folder, what) in [
            (0, 0, 0o644, false, Use::Open),
            (0, 0, 0o755, true, Use::Open),
            (0, US, 0o640, false, Use::Open),
            (1000, 1000, 0o664, false, Use::Open),
            (0, OPS, 0o640, false, Use::Secret),
            (US, US, 0o600, false, Use::Secret),
            (US, 7, 0o700, true, Use::Secret),
            (0, US, 0o2750, true, Use::Secret),
        ] {
            let decision = of(uid, gid, mode, is_folder, what);
            assert_eq!(decision, Decision::Fits, "{uid} {gid} {mode:o}");
        }
    }

    #[test]
    fn what_root_kept_to_itself_is_opened_to_the_service_s_group_alone() {
        for (mode, is_folder, what, given) in [
            (0o700, true, Use::Secret, 0o2750),
            (0o755, true, Use::Secret, 0o2750),
            (0o600, false, Use::Secret, 0o640),
            (0o400, false, Use::Secret, 0o440),
            (0o664, false, Use::Secret, 0o640),
            (0o700, true, Use::Open, 0o750),
            (0o600, false, Use::Open, 0o640),
        ] {
            let decision = of(0, 0, mode, is_folder, what);
            assert_eq!(decision, Decision::Give(US, given), "{mode:o}");
        }
    }

    #[test]
    fn a_secret_that_others_may_read_or_write_is_shut() {
        assert_eq!(
            of(0, US, 0o666, false, Use::Secret),
            Decision::Give(US, 0o640)
        );
        assert_eq!(
            of(US, 7, 0o644, false, Use::Secret),
            Decision::Give(7, 0o640)
        );
    }

    #[test]
    fn what_another_group_has_is_not_taken_from_it() {
        assert_eq!(of(0, 44, 0o640, false, Use::Secret), Decision::Leave);
        assert_eq!(of(1000, 44, 0o770, true, Use::Open), Decision::Leave);
        // A group that has nothing loses nothing.
        assert_eq!(
            of(1000, 44, 0o600, false, Use::Open),
            Decision::Give(US, 0o640)
        );
    }
}
