//! The service of `earlyhelp` behind four functions of C: JSON in, JSON out.
//!
//! `earlyhelp.h` declares them and says what holds; it is made from this file by cbindgen. What is asked and answered is the
//! protocol of `earlyhelp serve`. No panic crosses to the caller.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use earlyhelp::Error;
use earlyhelp::calendar::Day;
use earlyhelp::service::{Service, Setup};

/// A service: a project's records, a released model and a ledger. Any number of threads may ask it at once.
pub struct EarlyhelpService(Service);

/// Opens a service, which takes as long as reading the project's extracts does.
///
/// `setup` is a JSON object, in UTF-8 and ended by a zero byte: {"project": PATH, "model": PATH, "ledger": PATH}, and, where needed,
/// "extracts": PATH and "may_read": [PATH, ...].
///
/// Gives NULL where it cannot be opened. Then, if `error` is not NULL, *error is a JSON object {"class": ..., "says": ...}, which
/// is given back by `earlyhelp_free`; otherwise *error is NULL.
///
/// # Safety
/// `setup` points to a text that ends in a zero byte; `error` is NULL or points to where a pointer can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn earlyhelp_open(
    setup: *const c_char,
    error: *mut *mut c_char,
) -> *mut EarlyhelpService {
    let wrong = |class: &str, says: &str| serde_json::json!({ "class": class, "says": says }).to_string();
    let opened = || -> Result<Service, String> {
        if setup.is_null() {
            return Err(wrong("bad_input", "there is no setup"));
        }
        // SAFETY: it is not NULL, and the caller says that it ends in a zero byte.
        let text = unsafe { CStr::from_ptr(setup) };
        let setup: Setup = serde_json::from_slice(text.to_bytes())
            .map_err(|error| wrong("bad_input", &format!("the setup cannot be read: {error}")))?;
        Service::open(&setup, today).map_err(|error: Error| wrong(error.class().name(), &error.to_string()))
    };
    let opened = catch_unwind(AssertUnwindSafe(opened))
        .unwrap_or_else(|_| Err(wrong("ours", "a fault in the library: please report it with the version")));
    let (service, says) = match opened {
        Ok(service) => (Box::into_raw(Box::new(EarlyhelpService(service))), ptr::null_mut()),
        Err(says) => (ptr::null_mut(), given(says)),
    };
    if error.is_null() {
        // SAFETY: it was made by `given` a moment ago, and nobody else has it.
        unsafe { earlyhelp_free(says) };
    } else {
        // SAFETY: it is not NULL, and the caller says that a pointer can be written there.
        unsafe { *error = says };
    }
    service
}

/// Answers one question: one JSON object of `length` bytes in UTF-8, which need not end in a zero byte. The answer is one line of
/// JSON without its end, ended by a zero byte, and is given back by `earlyhelp_free`. It is never NULL, unless there is no memory
/// or `service` is NULL: what is wrong with a question is an answer, too.
///
/// # Safety
/// `service` is NULL or from `earlyhelp_open` and not closed; `question` is NULL or points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn earlyhelp_answer(
    service: *const EarlyhelpService,
    question: *const c_char,
    length: usize,
) -> *mut c_char {
    if service.is_null() {
        return ptr::null_mut();
    }
    let answered = || {
        // SAFETY: it is not NULL, and the caller says that it is open.
        let EarlyhelpService(service) = unsafe { &*service };
        if question.is_null() {
            return service.answer(b"");
        }
        // SAFETY: it is not NULL, and the caller says that so many bytes are there.
        let question = unsafe { std::slice::from_raw_parts(question.cast::<u8>(), length) };
        service.answer(question)
    };
    catch_unwind(AssertUnwindSafe(answered)).map_or(ptr::null_mut(), given)
}

/// Gives a text back. NULL is nothing to give back.
///
/// # Safety
/// `text` is NULL or from one of these functions, and not given back before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn earlyhelp_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: it was made by `CString::into_raw`, and the caller gives it back once.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Closes a service. What it answered is on record. NULL is nothing to close.
///
/// # Safety
/// `service` is NULL or from `earlyhelp_open`, not closed before, and nobody asks it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn earlyhelp_close(service: *mut EarlyhelpService) {
    if !service.is_null() {
        // SAFETY: it was made by `Box::into_raw`, and the caller closes it once.
        let service = unsafe { Box::from_raw(service) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(service)));
    }
}

/// A text that the caller has to give back. JSON holds no zero byte.
fn given(text: String) -> *mut c_char {
    CString::new(text).map_or(ptr::null_mut(), CString::into_raw)
}

/// Today's date (UTC).
#[expect(clippy::disallowed_methods, reason = "this is where time comes in: a caller in C passes none")]
fn today() -> Day {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().into()
}
