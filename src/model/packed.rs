//! How days and moments stand in the compact form in which the store keeps values, a CBOR without names. The numbers in
//! `#[n(…)]` of the types are that form: what was given once is never given to something else. Knows no table.

/// Whether nothing has to be kept of a flag.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "fields are passed by reference"
)]
pub(super) fn no(flag: &bool) -> bool {
    !flag
}

/// A day, or none: the years since 2000, the month and the day in one number.
pub(super) mod day {
    use jiff::civil::Date;
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{self, Encoder, Write};

    const YEAR: i32 = 1 << 9;
    const MONTH: i32 = 1 << 5;

    #[allow(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "fields are passed by reference"
    )]
    pub(in crate::model) fn encode<Ctx, W: Write>(
        day: &Option<Date>,
        to: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        match day {
            Some(day) => {
                let year = (i32::from(day.year()) - 2000) * YEAR;
                to.i32(year + i32::from(day.month()) * MONTH + i32::from(day.day()))?
            }
            None => to.null()?,
        };
        Ok(())
    }

    pub(in crate::model) fn decode<Ctx>(
        from: &mut Decoder<'_>,
        _: &mut Ctx,
    ) -> Result<Option<Date>, Error> {
        if from.datatype()? == minicbor::data::Type::Null {
            from.null()?;
            return Ok(None);
        }
        let number = from.i32()?;
        let (year, rest) = (number.div_euclid(YEAR), number.rem_euclid(YEAR));
        let day = || {
            let year = i16::try_from(year.checked_add(2000)?).ok()?;
            let month = i8::try_from(rest / MONTH).ok()?;
            Date::new(year, month, i8::try_from(rest % MONTH).ok()?).ok()
        };
        let day = day().ok_or_else(|| Error::message("no day").at(from.position()))?;
        Ok(Some(day))
    }

    #[allow(
        clippy::option_option,
        clippy::unnecessary_wraps,
        reason = "the form of the derive"
    )]
    pub(in crate::model) fn nil() -> Option<Option<Date>> {
        Some(None)
    }

    #[allow(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "fields are passed by reference"
    )]
    pub(in crate::model) fn is_nil(day: &Option<Date>) -> bool {
        day.is_none()
    }
}

/// A moment: its seconds since 1970, and its nanoseconds where it has some.
pub(super) mod moment {
    use jiff::Timestamp;
    use minicbor::data::Type;
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{self, Encoder, Write};

    pub(in crate::model) fn encode<Ctx, W: Write>(
        moment: &Timestamp,
        to: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        match moment.subsec_nanosecond() {
            0 => to.i64(moment.as_second())?,
            nanos => to.array(2)?.i64(moment.as_second())?.i32(nanos)?,
        };
        Ok(())
    }

    pub(in crate::model) fn decode<Ctx>(
        from: &mut Decoder<'_>,
        _: &mut Ctx,
    ) -> Result<Timestamp, Error> {
        let (seconds, nanos) = if from.datatype()? == Type::Array {
            from.array()?;
            (from.i64()?, from.i32()?)
        } else {
            (from.i64()?, 0)
        };
        Timestamp::new(seconds, nanos).map_err(|_| Error::message("no moment").at(from.position()))
    }
}
