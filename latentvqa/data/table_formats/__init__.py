"""Tables as files hold them: delimited text, JSON and Parquet."""
