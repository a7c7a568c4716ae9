//! OAuth messages: requests as they are read, answers and errors as they are written.
