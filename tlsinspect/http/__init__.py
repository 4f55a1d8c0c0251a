"""The heads of HTTP requests and responses, from application data that was opened with keys.  RFC 9110.

Of a head only the method, the host, the path without its query and the status are kept: no cookies, no credentials and
no other field values.  Of the content of an error, at most its first KiB is looked at, for a sentence about
certificates or the server name.
"""
