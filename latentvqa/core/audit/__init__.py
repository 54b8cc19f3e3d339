"""What an audit measures of tables and images, and how it is judged."""
