"""What was judged once is kept, found again, exported and replayed."""
