//! Reading genes: every spelling of the original's files, errors at the token, and hostile texts.
use automl_genome::{Constant, Gene, Limits, Node, ParseErrorKind, parse};

fn read(text: &str) -> Gene {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn brackets_commas_and_spaces_are_only_separators() {
    let gene = read("safe_add(x, y)");
    for text in [
        "safe_add x y",
        "safe_add((x)),,(y)",
        "safe_add(x,y)",
        "\tsafe_add\r\n( x\x0b,\x0cy )",
        "safe_add(x, y)))))",
        "(safe_add, x, y",
    ] {
        assert_eq!(read(text), gene, "{text:?}");
    }
    assert_eq!(read("sin(x))))"), read("sin x"));
}

#[test]
fn every_spelling_of_a_number_is_the_number() {
    for (text, value) in [
        ("tensor(0.3790)", 0.379),
        ("torch.tensor(0.3790)", 0.379),
        ("tensor(0.3790, device='cuda:0')", 0.379),
        ("tensor(0.3790, dtype=torch.float64, requires_grad=True)", 0.379),
        ("tensor -0.6289", -0.6289),
        ("0.379", 0.379),
        ("5.0123e-05", 5.0123e-5),
        ("tensor(5.0123e-05)", 5.0123e-5),
        ("1.", 1.0),
        ("tensor(1.)", 1.0),
        ("+.5", 0.5),
        ("-0.5", -0.5),
        ("1e-3", 1e-3),
        ("1E+3", 1000.0),
        ("007", 7.0),
        ("-0.0", 0.0),
        ("1e-400", 0.0),
    ] {
        assert_eq!(read(text).nodes(), [Node::Constant(Constant::new(value).unwrap())], "{text}");
    }
    assert_eq!(read("safe_mul(tensor(2., device='cuda:0'), x)").nodes().len(), 3);
}

#[test]
fn errors_name_the_token_its_place_and_the_remedy() {
    for (text, offset, message) in [
        ("", 0, "column 1: there is no expression; the simplest one is `x`"),
        (" ( , ) ", 7, "column 8: there is no expression; the simplest one is `x`"),
        ("sfe_mul(x, y)", 0, "column 1: unknown name `sfe_mul`; did you mean `safe_mul`?"),
        ("safe_add(x,\n  Tanh(y))", 14, "line 2, column 3: unknown name `Tanh`; did you mean `tanh`?"),
        ("safe_add(x, log(y))", 12, "column 13: unknown name `log`; did you mean `safe_log`?"),
        ("safe_add(x, -y)", 12, "column 13: unknown name `-y`; a difference is written `safe_sub(zero, …)`"),
        ("safe_add(ä, qqqqqq)", 9, "column 10: unknown name `ä`; a gene is made of functions, `x`, `y` and numbers"),
        ("safe_add(x", 10, "column 11: the text ends where `safe_add` still needs 1 of its 2 arguments"),
        ("safe_add(sin)", 13, "column 14: the text ends where `sin` still needs 1 of its 1 argument"),
        ("safe_add(x, y, y)", 15, "column 16: the expression is complete before `y`; remove what follows"),
        (
            "safe_add(x, rand_const)",
            12,
            "column 13: `rand_const` draws a new number for each gene and has no value in a text; write a number",
        ),
        ("sin(1e400)", 4, "column 5: `1e400` is not a finite number; write one below 1.8e308"),
        ("sin(tensor(-inf))", 11, "column 12: `-inf` is not a finite number; write one below 1.8e308"),
        ("sin(nan)", 4, "column 5: `nan` is not a finite number; write one below 1.8e308"),
        ("sin(0x10)", 4, "column 5: `0x10` is not a number; write a plain decimal such as -0.5 or 1e-3"),
        ("sin(1_000)", 4, "column 5: `1_000` is not a number; write a plain decimal such as -0.5 or 1e-3"),
        ("sin(tensor(x))", 11, "column 12: `tensor` needs a number where `x` stands, as in `tensor(0.3790)`"),
        ("sin(tensor())", 13, "column 14: the text ends where `tensor` needs its number, as in `tensor(0.3790)`"),
    ] {
        let error = text.parse::<Gene>().unwrap_err();
        assert_eq!((error.offset, error.to_string().as_str()), (offset, message), "{text}");
    }
    assert_eq!("rand_const_3".parse::<Gene>().unwrap_err().kind, ParseErrorKind::Generator);
}

#[test]
fn limits_hold_at_the_token_that_passes_them() {
    let limits = Limits { bytes: 40, nodes: 4, depth: 2 };
    assert!(parse("sin(sin(x))", &limits).is_ok());
    let error = parse("sin(sin(sin(x)))", &limits).unwrap_err();
    assert_eq!((error.offset, error.kind), (12, ParseErrorKind::TooDeep { limit: 2 }));
    let error = parse("max(max(x, x), max(x, x))", &limits).unwrap_err();
    assert_eq!((error.offset, error.kind), (15, ParseErrorKind::TooManyNodes { limit: 4 }));
    let error = parse(&" ".repeat(41), &limits).unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::TooLong { bytes: 41, limit: 40 });
}

#[test]
fn an_error_is_small_whatever_the_text() {
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let deep = "sin(".repeat(5_000_000);
    assert_eq!(parse(&deep, &limits).unwrap_err().kind, ParseErrorKind::TooDeep { limit: 90 });
    let wide = "\u{1F600}".repeat(5_000_000);
    let error = parse(&wide, &limits).unwrap_err();
    assert!(error.token.len() < 200 && error.to_string().len() < 400);
    let digits = "9".repeat(5_000_000);
    assert_eq!(parse(&digits, &limits).unwrap_err().kind, ParseErrorKind::NotFinite);
}

#[test]
fn constants_print_as_the_original_prints_them() {
    for (value, text) in [
        (0.379, "tensor(0.3790)"),
        (-0.6289, "tensor(-0.6289)"),
        (1.0, "tensor(1.)"),
        (-0.0, "tensor(0.)"),
        (1e8, "tensor(100000000.)"),
        (5.0123e-5, "tensor(5.0123e-05)"),
        (1e-5, "tensor(1.0000e-05)"),
        (1e20, "tensor(1.0000e+20)"),
        (1.5e300, "tensor(1.5000e+300)"),
        (0.123_456, "tensor(0.123456)"),
        (0.1 + 0.2, "tensor(0.30000000000000004)"),
    ] {
        let gene = Gene::from_prefix(vec![Node::Constant(Constant::new(value).unwrap())]).unwrap();
        assert_eq!(read(&gene.to_string()), gene);
        assert_eq!(gene.to_string(), text);
    }
}

#[test]
fn serde_sees_the_text() {
    let gene = read("safe_add(x, safe_mul(tensor(0.3790), y))");
    let json = serde_json::to_string(&gene).unwrap();
    assert_eq!(json, "\"safe_add(x, safe_mul(tensor(0.3790), y))\"");
    assert_eq!(serde_json::from_str::<Gene>(&json).unwrap(), gene);
    let error = serde_json::from_str::<Gene>("\"sinn(x)\"").unwrap_err().to_string();
    assert!(error.contains("did you mean `sin`?"), "{error}");
}
