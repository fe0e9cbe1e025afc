"""What is sent to the server to make it fall."""

DEEP, LONG = 100_000, "9" * 5_000

# What takes the place of a cell, in a request that is well-formed otherwise.
CELLS = ["NaN", "-Infinity", "Infinity", "1e400", "-1e400", "1e308", "5e-324", "-0", '"nan"', '"2"']
CELLS += ["true", "null", "[]", "{}", '""', r'"\ud800"', r'"\udfff\ud800"', r'"\u0000"', '"\0"']
CELLS += [LONG, f"-{LONG}", f"1{'0' * 400}", f"0.{LONG}", '"' + "x" * 100_000 + '"', '"𝕏"', "01"]
CELLS += [
    "9223372036854775808",
    "1.5",
    '"2024-02-30"',
    '"9999-12-31T23:59:59-23:59"',
    '"0001-01-01"',
]
CELLS += [
    "[" * DEEP,
    '{"a":' * DEEP,
    f"{'[' * DEEP}{']' * DEEP}",
    "'x'",
    "undefined",
    "/**/1",
    "1,",
]
BODIES = [
    b"",
    b" ",
    b"\0",
    b"null",
    b"3",
    b'""',
    b"[]",
    b"{}",
    b"[[[]]]",
    b"\xff\xfe",
    b'{"rows": "\xc3\x28"}',
    b'{"rows": "\xed\xa0\x80"}',
    '{"rows": []}'.encode("utf-16"),
    '{"rows": []}'.encode("utf-32"),
    b'\xef\xbb\xbf{"rows": []}',
    b'{"rows": [',
    b'{"rows": []}{}',
    b'{"rows": {}}',
    b'{"rows": [{}]}',
    b'{"rows": [[]]}',
    b'{"rows": [{}], "rows": []}',
    b'{"rows": [' + b"{}," * 5_000 + b"{}]}",
    b'{"rows": [{}], "explain": 1}',
    b'{"inputs": [' + b"[]," * 5_000 + b"[]]}",
    b'{"instances": [], "inputs": []}',
    b'{"instances": {}}',
    b'{"inputs": {"": [1], "b": []}}',
    b'{"dataframe_split": {"columns": [[], {}], "data": [[1, 2]]}}',
    b'{"dataframe_split": {"columns": 3, "data": {}}}',
    b'{"dataframe_records": [null]}',
    b'{"inputs": [{"name": "a", "datatype": "FP64", "shape": [0, 1e30], "data": []}]}',
    b'{"inputs": [{"name": "a", "datatype": "FP64", "shape": [0, 9'
    + b"9" * 99
    + b'], "data": []}]}',
    b'{"inputs": [{"name": "a", "datatype": "BYTES", "shape": [1], "data": [{"a": 1}]}]}',
    b'{"inputs": [{"name": "a", "datatype": [], "shape": [1], "data": [1]}]}',
    b'{"inputs": [{"name": "a", "datatype": "FP64", "shape": ['
    + b"1," * 99
    + b'1], "data": [1]}]}',
    b'{"inputs": [{"name": "a", "datatype": "FP64", "shape": [1],'
    b' "parameters": {"binary_data_size": true}}]}',
    b"{" + b'"rows":[],' * 9_999 + b'"rows":[]}',
    b"{" + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}",
    b"a,b\n1",
    b'"a\n',
    b"\n" * 20_000,
    b"a\0b\r\r\n\n1",
]
