//! The recordings that are mapped and run, and whom each of them has. How they are tried is `recordings`' to say.

/// A recording: how it is asked for, and whom it has.
pub(super) struct Recording {
    pub(super) connector: &'static str,
    pub(super) script: &'static str,
    pub(super) file: &'static str,
    pub(super) answers: &'static [(&'static str, &'static str)],
    pub(super) property: &'static str,
    pub(super) in_house: &'static [&'static str],
    pub(super) no_email: &'static [&'static str],
    pub(super) left_out: &'static [(&'static str, &'static str)],
}

const RESMAN: &str = "07413576-f764-44c6-be35-df4139deec01";

/// All of them.
pub(super) const RECORDINGS: &[Recording] = &[
    Recording {
        connector: "realpage",
        script: "realpage",
        file: "realpage-households.xml",
        answers: &[("getresidentlistinfo", "realpage-households.xml")],
        property: "4400123",
        in_house: &["4400123-1", "4400123-3", "4400123-4", "4400123-6"],
        no_email: &[],
        left_out: &[
            ("4400123-2", "minor"),
            ("4400123-7", "placeholder"),
            ("4400123-8", "company"),
            ("4400123-9", "minor"),
        ],
    },
    Recording {
        connector: "entrata",
        script: "entrata",
        file: "entrata-beds.json",
        answers: &[
            ("getLeases", "entrata-beds.json"),
            ("getPropertyUnits", "entrata-units.json"),
        ],
        property: "elm",
        in_house: &["900", "901", "902", "908", "909"],
        no_email: &[],
        left_out: &[
            ("903", "placeholder"),
            ("904", "company"),
            ("905", "placeholder"),
            ("906", "company"),
            ("907", "placeholder"),
            ("910", "guarantor"),
        ],
    },
    Recording {
        connector: "mri",
        script: "mri",
        file: "mri-2-rolled-over.json",
        answers: &[
            ("LeaseDetails", "mri-2-rolled-over.json"),
            ("PendingMoveIns", "mri-nobody-moves-in.json"),
        ],
        property: "elm",
        in_house: &["0000000101", "0000000102"],
        no_email: &[],
        left_out: &[],
    },
    Recording {
        connector: "mri-xml",
        script: "mri",
        file: "mri-1-lives-there.xml",
        answers: &[
            ("LeaseDetails", "mri-1-lives-there.xml"),
            ("PendingMoveIns", "mri-nobody-moves-in.xml"),
        ],
        property: "elm",
        in_house: &["0000000101", "0000000102"],
        no_email: &[],
        left_out: &[],
    },
    Recording {
        connector: "yardi",
        script: "yardi",
        file: "yardi-households.xml",
        answers: &[
            ("GetUnitInformation", "yardi-units.xml"),
            ("GetResidents", "yardi-households.xml"),
        ],
        property: "elm",
        in_house: &[
            "r0000001", "r0000002", "r0000003", "t0000001", "t0000002", "t0000003",
        ],
        no_email: &["t0000004"],
        left_out: &[],
    },
    Recording {
        connector: "yardi-billing",
        script: "yardi-billing",
        file: "yardi-billing.xml",
        answers: &[("GetResidentTransactions_Login", "yardi-billing.xml")],
        property: "elm",
        in_house: &["r0000002", "t0000001", "t0000004"],
        no_email: &[],
        left_out: &[
            ("r0000003", "guarantor"),
            ("t0000005", "pseudo unit WAIT"),
            ("t0000006", "company"),
        ],
    },
    Recording {
        connector: "appfolio",
        script: "appfolio",
        file: "appfolio-emails.json",
        answers: &[
            ("/tenants", "appfolio-emails.json"),
            ("/units", "appfolio-no-units.json"),
        ],
        property: "elm",
        in_house: &["3", "8"],
        no_email: &["1", "2", "4", "5", "6", "7"],
        left_out: &[],
    },
    Recording {
        connector: "appfolio-reports",
        script: "appfolio-reports",
        file: "appfolio-reports.json",
        answers: &[("tenant_directory", "appfolio-reports.json")],
        property: "17",
        in_house: &["9101", "9102"],
        no_email: &[],
        left_out: &[("9103", "guarantor"), ("9109", "placeholder")],
    },
    Recording {
        connector: "resman",
        script: "resman",
        file: "resman-leases.json",
        answers: &[
            ("/Leasing/Leases", "resman-leases.json"),
            ("/Units", "resman-units.json"),
        ],
        property: RESMAN,
        in_house: &["p1", "p5", "p6", "p8"],
        no_email: &[],
        left_out: &[("p3", "guarantor"), ("p4", "minor"), ("p9", "company")],
    },
    Recording {
        connector: "rentmanager",
        script: "rentmanager",
        file: "rentmanager-tenants.json",
        answers: &[
            ("AuthorizeUser", "rentmanager-token.json"),
            ("PageNumber=2", "rentmanager-nothing.json"),
            ("/Tenants", "rentmanager-tenants.json"),
        ],
        property: "31",
        in_house: &["71", "75", "76", "77"],
        no_email: &[],
        left_out: &[
            ("73", "guarantor"),
            ("74", "contact type Emergency Contact"),
            ("79", "company"),
        ],
    },
];
